/** Of a test that says nothing of its own. Long enough for a busy machine, short enough that one that hangs is named. */
jest.setTimeout(60_000);

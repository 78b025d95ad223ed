import { promisify } from 'node:util';
import { brotliCompress, brotliCompressSync, brotliDecompress, brotliDecompressSync, constants } from 'node:zlib';

/**
 * Brotli at quality 1. Measured on customer records, against deflate at level 1: 1 MiB in 3.2 instead of 6.0 ms, to 20
 * instead of 23 %; 64 KiB in 0.17 instead of 0.32 ms. Higher qualities cost several times that for 1-2 points.
 */
const quality = 1;

/** Above this the work goes to the thread pool; below, the trip there costs more than it frees. */
const syncBytes = 64 * 1024;

/** No payload of ours comes near; a small one that claims to unpack to more is an attack. */
const maxUnpackedBytes = 64 * 1024 * 1024;

const compressAsync = promisify(brotliCompress);
const decompressAsync = promisify(brotliDecompress);

/** Compressed bytes, or null when that saves nothing. */
export async function compress(data: Uint8Array): Promise<Buffer | null> {
  const options = {
    params: { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_SIZE_HINT]: data.length },
  };
  const packed = data.length <= syncBytes ? brotliCompressSync(data, options) : await compressAsync(data, options);
  return packed.length < data.length ? packed : null;
}

/** Undoes `compress`. Rejects on damaged data. */
export async function decompress(packed: Uint8Array): Promise<Buffer> {
  const options = { maxOutputLength: maxUnpackedBytes };
  return packed.length * 4 <= syncBytes ? brotliDecompressSync(packed, options) : decompressAsync(packed, options);
}

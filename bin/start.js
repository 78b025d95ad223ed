// `npm start`: fresh clone to running sandbox. Installs what is missing, then becomes `syncline start` in this process.
'use strict';
const { ensureInstalled } = require('./install.js');

ensureInstalled();
process.argv.splice(2, 0, 'start');
require('./syncline.js');

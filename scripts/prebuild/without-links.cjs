// Wine shows a link to a folder as a folder of its own, with modules of its own: build/ts/lib is dist there, too.
const Module = require('node:module');

const resolve = Module._resolveFilename;
Module._resolveFilename = (...args) => resolve(...args).replace(/build([\\/])ts\1lib\1/, 'dist$1');

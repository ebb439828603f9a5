/** The version, where the package is made for publishing; undefined in a clone, which has its package.json beside it. */
declare const RELEASE: string | undefined;

import type { Options, Tracker } from "./types.js";
/** Begin. A second call gives the tracker of the first. */
export declare function start(options?: Options): Tracker;

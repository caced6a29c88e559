/** For shops that bundle: `import { start } from "clickstream-tracker"`. */
export { start } from "./tracker";
export type * from "./types";

/** The one way to the tracker. Until its script has loaded, calls wait in an array; where something blocks it, they wait for
 * ever, and the shop does not notice. */
export const tell = (call, ...given) => (window.clickstream ||= []).push([call, ...given]);

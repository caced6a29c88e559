/** What cannot be done, and the sentence for the buyer that says why and what to do. */
export class Refused extends Error {}

/** What a page itself says to its user about what they did: shown as it is, unlike a fault of the page. */
export class Said extends Error {}

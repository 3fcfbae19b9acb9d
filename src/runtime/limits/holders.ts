/** Processes that hold a cell and are none of the tool's: bubblewrap, and the first one inside. */
export const HOLDERS = 2

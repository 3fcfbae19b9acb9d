/** Something is not cleared up yet, as was to be expected: it is looked at again, and no fault. */
export class NotYet extends Error {}

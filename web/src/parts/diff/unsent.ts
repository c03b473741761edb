// Words of comments that were not saved yet, by what they are about, as long as the page is open: neither a key nor a line that
// leaves the screen loses any.

export const unsent = new Map<string, string>()

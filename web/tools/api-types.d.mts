/** Where the generated types are. */
export const SCHEMA: URL;
/** The types of what the fleet at `edge` says about itself, as the text of a module. */
export function apiTypes(edge: string): Promise<string>;

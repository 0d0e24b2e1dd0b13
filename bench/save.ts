export const save = null as never;

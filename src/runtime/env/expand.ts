// `$(NAME)` in command, args and env values → the value of the variable, as Kubernetes does it before
// anything runs: no shell takes part.

/**
 * Replaces every `$(NAME)` that `lookup` knows; one it does not know stays as written. `$$` is an
 * escaped `$`, so `$$(NAME)` becomes the text `$(NAME)`.
 */
export function expandVariables(
  text: string,
  lookup: (name: string) => string | undefined,
): string {
  return text.replaceAll(/\$(?:\$|\(([^)]*)\))/g, (whole: string, name: string | undefined) =>
    name === undefined ? '$' : (lookup(name) ?? whole),
  );
}

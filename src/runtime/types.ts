// What the caller configures, and the names this folder needs besides those of api/.

/** What to run in place of an image: an entry of the configuration. */
export interface ImageMapping {
  /**
   * The image's name as in the manifest. `*` stands for any run of characters; a pattern without tag
   * and digest takes every tag and digest.
   */
  readonly image: string;
  /** A list is run as it is, a text by `/bin/sh -c`. The container's args follow, as `"$@"` for a text. */
  readonly command: string | readonly string[];
  /** Absolute, or relative to the folder of the pod's manifest. */
  readonly workingDir?: string;
}

/**
 * Finds the folder of the file an object was written in. Of what a controller made (a ReplicaSet) it is
 * the folder of the owner the user wrote (the Deployment).
 */
export type Locate = (kind: string, namespace: string, name: string) => string | undefined;

// The time stamps of Go's log package, which http-echo, whoami and agnhost put in front of their lines.

/** `2006/01/02 15:04:05`, in UTC as in a container. */
export function logTime(): string {
  return new Date().toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ');
}

/** `02/Jan/2006:15:04:05 +0000`, the form of web servers' access logs. */
export function requestTime(): string {
  // "Mon, 02 Jan 2006 15:04:05 GMT"
  const [, day, month, year, time] = new Date().toUTCString().split(' ');
  return `${day}/${month}/${year}:${time} +0000`;
}

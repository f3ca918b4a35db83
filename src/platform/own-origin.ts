/**
 * Whether a page of this origin comes from the server that a request's `Host` names. Only the host is compared, because
 * the scheme differs behind a proxy that terminates TLS; the rest must be as browsers send it: http or https, without a
 * user name or a path.
 */
export function isOwnOrigin(origin: string, host: string | undefined): boolean {
  const url = URL.parse(origin);
  return url !== null && /^https?:$/.test(url.protocol) && url.origin === origin && url.host === host;
}

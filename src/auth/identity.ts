/**
 * The form in which an email address identifies an agent: printable ASCII in lower case; null for any other text. Only
 * A to Z are lowered, because Unicode's rules turn other letters into ASCII: the Kelvin sign U+212A becomes a k.
 */
export function identityOf(email: string): string | null {
  if (!/^[\x21-\x7e]+$/.test(email)) return null;
  return email.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";
import type { Config } from "../config.ts";
import { authSecret } from "./secret.ts";

/** The row and the column that a sealed value belongs to. A value copied elsewhere cannot be opened. */
export interface SealedAt {
  readonly rowId: string;
  readonly column: string;
}

/** Encrypts secrets that are stored in the database. */
export interface SecretBox {
  seal(plain: string, at: SealedAt): string;
  /** @throws UnreadableSecret if no key opens it, or if it was changed or moved */
  open(sealed: string, at: SealedAt): string;
  /** Whether the text has the form of a sealed value; anything else is a plain value of an earlier version. */
  isSealed(text: string): boolean;
  /** Whether the value is sealed with the key that `seal` uses. */
  isCurrent(sealed: string): boolean;
}

/** A stored secret that cannot be decrypted. The message contains neither the secret nor a key. */
export class UnreadableSecret extends Error {
  override name = "UnreadableSecret";
}

/**
 * The keys of SECRETS_KEY: the first encrypts, all decrypt. The key derived from AUTH_SECRET encrypts if there is none,
 * and always decrypts, so that SECRETS_KEY can be introduced later.
 */
export async function secretBox(config: Pick<Config, "authSecret" | "dataDir" | "secretsKeys">): Promise<SecretBox> {
  return createSecretBox([...config.secretsKeys, await authSecret(config)]);
}

/** AES-256-GCM with a new 12-byte IV for each value; `secrets` are any texts with enough entropy, the first one seals. */
export function createSecretBox(secrets: readonly string[]): SecretBox {
  const keys = new Map(secrets.toReversed().map(deriveKey));
  const [current] = secrets.map(deriveKey);
  if (current === undefined) throw new Error("A secret box needs at least one key.");
  const [currentId, currentKey] = current;

  return {
    seal: (plain, at) => {
      const iv = randomBytes(IV_LENGTH);
      const cipher = createCipheriv("aes-256-gcm", currentKey, iv).setAAD(associatedData(at));
      const sealed = Buffer.concat([iv, cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()]);
      return `${VERSION}.${currentId}.${sealed.toString("base64url")}`;
    },
    open: (sealed, at) => {
      const [, keyId = "", data = ""] = SEALED.exec(sealed) ?? [];
      const key = keys.get(keyId);
      if (key === undefined) {
        throw new UnreadableSecret(keyId === "" ? "It is not sealed." : `There is no key with the id ${keyId}.`);
      }
      const bytes = Buffer.from(data, "base64url");
      try {
        const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, IV_LENGTH), {
          authTagLength: TAG_LENGTH,
        });
        decipher.setAAD(associatedData(at)).setAuthTag(bytes.subarray(-TAG_LENGTH));
        return Buffer.concat([decipher.update(bytes.subarray(IV_LENGTH, -TAG_LENGTH)), decipher.final()]).toString();
      } catch {
        throw new UnreadableSecret("It was changed, or it belongs to another row or column.");
      }
    },
    isSealed: (text) => SEALED.test(text),
    isCurrent: (sealed) => SEALED.exec(sealed)?.[1] === currentId,
  };
}

const VERSION = "v1";
const IV_LENGTH = 12;
const TAG_LENGTH = 16;
/** Version, key id, and the base64url of IV, ciphertext and tag. */
const SEALED = /^v1\.([0-9a-f]{16})\.([\w-]{38,})$/;

/** Derived for this purpose alone, so that neither key reveals the other. The id identifies a key without revealing it. */
function deriveKey(secret: string): readonly [id: string, key: Buffer] {
  const key = Buffer.from(hkdfSync("sha256", secret, "", "deskgate:stored-secrets:v1", 32));
  return [createHash("sha256").update("deskgate:key-id").update(key).digest("hex").slice(0, 16), key];
}

function associatedData({ rowId, column }: SealedAt): Buffer {
  return Buffer.from(`${rowId}/${column}`);
}

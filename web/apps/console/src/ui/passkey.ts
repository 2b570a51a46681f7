/** Security keys: from the interface's JSON to the browser's bytes, and back. */

type Json = Record<string, unknown>;

const bytes = (text: string): Uint8Array<ArrayBuffer> => {
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
};
const text = (buffer: ArrayBuffer | null): string | null => {
  if (!buffer) return null;
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
};
const descriptors = (list: unknown): PublicKeyCredentialDescriptor[] =>
  ((list ?? []) as { id: string; type: 'public-key' }[]).map((one) => ({ ...one, id: bytes(one.id) }));

/** Whether this browser, on this address, has security keys at all. */
export const hasPasskeys = (): boolean => 'PublicKeyCredential' in window && !/^[\d.]+$|^\[/.test(location.hostname);

/** Asks the device for a new key. */
export async function makePasskey(options: Json): Promise<Json> {
  const wanted = options.publicKey as Json & { challenge: string; user: Json & { id: string }; excludeCredentials?: unknown };
  const publicKey = {
    ...wanted,
    challenge: bytes(wanted.challenge),
    user: { ...wanted.user, id: bytes(wanted.user.id) },
    excludeCredentials: descriptors(wanted.excludeCredentials),
  } as unknown as PublicKeyCredentialCreationOptions;
  const made = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential;
  const response = made.response as AuthenticatorAttestationResponse;
  return {
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    extensions: made.getClientExtensionResults(),
    response: { attestationObject: text(response.attestationObject), clientDataJSON: text(response.clientDataJSON) },
  };
}

/** Asks the device for a signature. */
export async function showPasskey(options: Json): Promise<Json> {
  const wanted = options.publicKey as Json & { challenge: string; allowCredentials?: unknown };
  const publicKey = {
    ...wanted,
    challenge: bytes(wanted.challenge),
    allowCredentials: descriptors(wanted.allowCredentials),
  } as unknown as PublicKeyCredentialRequestOptions;
  const shown = (await navigator.credentials.get({ publicKey })) as PublicKeyCredential;
  const response = shown.response as AuthenticatorAssertionResponse;
  return {
    id: shown.id,
    rawId: text(shown.rawId),
    type: shown.type,
    extensions: shown.getClientExtensionResults(),
    response: {
      authenticatorData: text(response.authenticatorData),
      clientDataJSON: text(response.clientDataJSON),
      signature: text(response.signature),
      userHandle: text(response.userHandle),
    },
  };
}

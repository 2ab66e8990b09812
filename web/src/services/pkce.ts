/** Random text of 43 characters that are safe in an address. */
export const randomText = () => urlSafe(crypto.getRandomValues(new Uint8Array(32)));

function urlSafe(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

/** A fresh PKCE verifier and its S256 challenge (RFC 7636). */
export async function pkcePair(verifier: string = randomText()): Promise<{ verifier: string; challenge: string }> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  return { verifier, challenge: urlSafe(new Uint8Array(digest)) };
}

import { createPublicKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileDurably } from '../linux/files.ts';

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  cert: string;
  key: string;
}

/** What a leaf certificate says of its holder. `organizations` become groups (Kubernetes x509 authentication). */
export interface CertificateRequest {
  commonName: string;
  organizations?: string[];
  usage: 'client' | 'server';
  dnsNames?: string[];
  ipAddresses?: string[];
}

/** The certificate authority of one cluster: keys live in `dir`, made when missing, renewed when they end soon. */
export interface CertificateAuthority {
  cert: string;
  key: string;
  /** Returns NAME.crt and NAME.key in the folder, issuing them when missing, expiring or for other addresses. */
  issue(name: string, request: CertificateRequest): Promise<KeyPair>;
}

/** Opens the authority in `dir`, made when missing. Signing is loaded only when there is something to sign: it takes its time. */
export async function openCertificateAuthority(dir: string): Promise<CertificateAuthority> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const authority = readPair(dir, 'ca') ?? (await makeAuthority(dir));
  return { ...authority, issue: (name, request) => issue({ dir, authority, name, request }) };
}

async function makeAuthority(dir: string): Promise<KeyPair> {
  const { signAuthority } = await import('./sign-certificate.ts');
  return await savePair({ dir, name: 'ca', pair: await signAuthority() });
}

interface IssueOptions {
  dir: string;
  authority: KeyPair;
  name: string;
  request: CertificateRequest;
}

async function issue({ dir, authority, name, request }: IssueOptions): Promise<KeyPair> {
  const present = readPair(dir, name);
  if (present !== undefined && stillGood(present, request)) return present;
  const { signLeaf } = await import('./sign-certificate.ts');
  return await savePair({ dir, name, pair: await signLeaf(authority, request) });
}

/** Renewed in the last quarter of its life. */
function stillGood(pair: KeyPair, { dnsNames = [], ipAddresses = [] }: CertificateRequest): boolean {
  const cert = new X509Certificate(pair.cert);
  const [begin, end] = [cert.validFrom, cert.validTo].map((date) => new Date(date).getTime());
  const endsSoon = Date.now() > (begin ?? 0) + (((end ?? 0) - (begin ?? 0)) * 3) / 4;
  const namesHold =
    dnsNames.every((name) => cert.checkHost(name) !== undefined) &&
    ipAddresses.every((address) => cert.checkIP(address) !== undefined);
  return !endsSoon && namesHold;
}

/** The key pair that signs service account tokens (PEM): made once, since tokens in Pods must stay valid. */
export async function serviceAccountKeys(dir: string): Promise<{ publicKey: string; privateKey: string }> {
  const path = join(dir, 'sa.key');
  if (!existsSync(path)) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFileDurably(path, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), {
      mode: 0o600,
    });
  }
  const privateKey = readFileSync(path, 'utf8');
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();
  return { privateKey, publicKey };
}

/** The 32-byte key under which Secrets are encrypted at rest (AES-256-GCM). */
export async function encryptionKey(dir: string): Promise<Buffer> {
  const path = join(dir, 'encryption.key');
  if (!existsSync(path)) await writeFileDurably(path, randomBytes(32).toString('base64'), { mode: 0o600 });
  return Buffer.from(readFileSync(path, 'utf8'), 'base64');
}

function readPair(dir: string, name: string): KeyPair | undefined {
  const [cert, key] = [join(dir, `${name}.crt`), join(dir, `${name}.key`)];
  if (!existsSync(cert) || !existsSync(key)) return undefined;
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}

async function savePair({ dir, name, pair }: { dir: string; name: string; pair: KeyPair }): Promise<KeyPair> {
  // The key first: a certificate on disk then always has its key beside it.
  await writeFileDurably(join(dir, `${name}.key`), pair.key, { mode: 0o600 });
  await writeFileDurably(join(dir, `${name}.crt`), pair.cert, { mode: 0o644 });
  return pair;
}

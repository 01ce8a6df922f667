import 'reflect-metadata';
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  webcrypto,
  X509Certificate,
} from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { writeFileDurably } from '../linux/files.ts';

type CryptoKey = webcrypto.CryptoKey;
type CryptoKeyPair = webcrypto.CryptoKeyPair;

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const YEAR_MS = 365 * 24 * 3600 * 1000;
const CA_YEARS = 10;
const LEAF_YEARS = 1;

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

export async function openCertificateAuthority(dir: string): Promise<CertificateAuthority> {
  x509.cryptoProvider.set(webcrypto);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const pair = readPair(dir, 'ca') ?? (await makeAuthority(dir));
  return { ...pair, issue: (name, request) => issue({ dir, ca: pair, name, request }) };
}

async function makeAuthority(dir: string): Promise<KeyPair> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: 'CN=kubernetes',
    notBefore: anHourAgo(),
    notAfter: new Date(Date.now() + CA_YEARS * YEAR_MS),
    signingAlgorithm: ALGORITHM,
    keys: keys as CryptoKeyPair,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey as CryptoKey),
    ],
  });
  return savePair({ dir, name: 'ca', cert, privateKey: keys.privateKey as CryptoKey });
}

interface IssueOptions {
  dir: string;
  ca: KeyPair;
  name: string;
  request: CertificateRequest;
}

async function issue({ dir, ca, name, request }: IssueOptions): Promise<KeyPair> {
  const present = readPair(dir, name);
  if (present !== undefined && stillGood(present, request)) return present;
  const issuer = new x509.X509Certificate(ca.cert);
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const cert = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: [
      ...(request.organizations ?? []).map((organization) => ({ O: [organization] })),
      { CN: [request.commonName] },
    ],
    issuer: issuer.subject,
    notBefore: anHourAgo(),
    notAfter: new Date(Date.now() + LEAF_YEARS * YEAR_MS),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey as CryptoKey,
    signingKey: await importKey(ca.key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        request.usage === 'server' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth,
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      ...subjectAltNames(request),
    ],
  });
  return savePair({ dir, name, cert, privateKey: keys.privateKey as CryptoKey });
}

function subjectAltNames({ dnsNames = [], ipAddresses = [] }: CertificateRequest): x509.Extension[] {
  const names: x509.JsonGeneralName[] = [
    ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
    ...ipAddresses.map((value) => ({ type: 'ip' as const, value })),
  ];
  return names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)];
}

function stillGood(pair: KeyPair, { dnsNames = [], ipAddresses = [] }: CertificateRequest): boolean {
  const cert = new X509Certificate(pair.cert);
  const endsSoon = new Date(cert.validTo).getTime() < Date.now() + (LEAF_YEARS * YEAR_MS) / 4;
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

async function savePair(options: {
  dir: string;
  name: string;
  cert: x509.X509Certificate;
  privateKey: CryptoKey;
}): Promise<KeyPair> {
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', options.privateKey));
  const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
    .export({ type: 'pkcs8', format: 'pem' })
    .toString();
  const cert = `${options.cert.toString('pem')}\n`;
  // The key first: a certificate on disk then always has its key beside it.
  await writeFileDurably(join(options.dir, `${options.name}.key`), key, { mode: 0o600 });
  await writeFileDurably(join(options.dir, `${options.name}.crt`), cert, { mode: 0o644 });
  return { cert, key };
}

function importKey(pem: string): Promise<CryptoKey> {
  const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']) as Promise<CryptoKey>;
}

const serial = (): string =>
  randomBytes(16)
    .toString('hex')
    .replace(/^[89a-f]/, '1');
/** Clocks of a host that was just resumed may lag. */
const anHourAgo = (): Date => new Date(Date.now() - 3600 * 1000);

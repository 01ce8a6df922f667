import type { UserInfo } from '../authentication/user.ts';
import { aggregatedDiscovery } from '../discovery/aggregated.ts';
import { coreVersions, groupList, groupOf, resourceList } from '../discovery/legacy.ts';
import { reportCheck, reportHealth } from '../discovery/health.ts';
import type { HealthCheck } from '../discovery/health.ts';
import { PROTOBUF_OF_V2 } from '../discovery/openapi-protobuf.ts';
import type { OpenApiDocuments } from '../discovery/openapi.ts';
import { VERSION } from '../discovery/version.ts';
import type { ServiceAccountTokens } from '../authentication/service-account-tokens.ts';
import type { KindTable } from '../registry/table.ts';
import { methodNotAllowed, notAcceptable, unknownPathError } from './errors.ts';
import type { Metrics } from './metrics.ts';
import { negotiate } from './negotiate.ts';
import type { RequestInfo } from './request-info.ts';
import type { ServerRequest, ServerResponse } from './respond.ts';
import { etagOf, respond, respondCached, textOf, wantsPretty } from './respond.ts';

interface Exchange {
  request: ServerRequest;
  response: ServerResponse;
  info: RequestInfo;
  user: UserInfo;
}

/** Everything that is no resource: discovery, OpenAPI, health, version, metrics. */
export class PathRoutes {
  readonly #kinds: KindTable;
  readonly #openApi: OpenApiDocuments;
  readonly #checks: HealthCheck[];
  readonly #metrics: Metrics;
  readonly #tokens: ServiceAccountTokens;
  readonly #serverAddress: string;

  constructor(options: {
    kinds: KindTable;
    openApi: OpenApiDocuments;
    checks: HealthCheck[];
    metrics: Metrics;
    tokens: ServiceAccountTokens;
    serverAddress: string;
  }) {
    this.#kinds = options.kinds;
    this.#openApi = options.openApi;
    this.#checks = options.checks;
    this.#metrics = options.metrics;
    this.#tokens = options.tokens;
    this.#serverAddress = options.serverAddress;
  }

  /** Answers a path. Throws 404, 405 and 406. */
  async answer(exchange: Exchange): Promise<void> {
    const { info } = exchange;
    const parts = info.path.split('/').filter(Boolean);
    if (info.method !== 'GET' && info.method !== 'HEAD') throw methodNotAllowed();
    switch (parts[0]) {
      case undefined:
        return this.#json(exchange, { paths: this.#rootPaths() });
      case 'api':
      case 'apis':
        return this.#discovery(exchange, parts);
      case 'openapi':
        return this.#openApiDocument(exchange, parts.slice(1));
      case 'healthz':
      case 'livez':
      case 'readyz':
        return this.#health(exchange, parts[0], parts.slice(1).join('/'));
      case 'version':
        return this.#json(exchange, VERSION);
      case 'metrics':
        return this.#metricsText(exchange);
      case '.well-known':
      case 'openid':
        return this.#issuer(exchange);
      default:
        throw unknownPathError();
    }
  }

  #rootPaths(): string[] {
    const groups = [...this.#kinds.groups()].filter(([group]) => group !== '');
    const versions = groups.flatMap(([group, list]) => [
      `/apis/${group}`,
      ...list.map((version) => `/apis/${group}/${version}`),
    ]);
    return [
      '/api',
      '/api/v1',
      '/apis',
      ...versions,
      '/healthz',
      '/livez',
      '/metrics',
      '/openapi/v2',
      '/openapi/v3',
      '/readyz',
      '/version',
    ];
  }

  async #json({ request, response, info }: Exchange, value: unknown): Promise<void> {
    const pretty = wantsPretty(info.query, request.headers['user-agent']);
    await respond(request, response, {
      status: 200,
      body: textOf(value, { mediaType: 'application/json', pretty }),
    });
  }

  async #discovery(exchange: Exchange, parts: string[]): Promise<void> {
    const { request, response } = exchange;
    const [root, first, second] = parts;
    const representation = negotiate(request.headers.accept);
    if (representation === undefined) throw notAcceptable();
    if (first === undefined && representation.as === 'APIGroupDiscoveryList') {
      const version = representation.version ?? 'v2';
      const body = JSON.stringify(
        aggregatedDiscovery(this.#kinds, root === 'api' ? '/api' : '/apis', version),
      );
      const contentType = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
      return respondCached(request, response, {
        status: 200,
        body,
        contentType,
        etag: etagOf(body),
        headers: { vary: 'Accept' },
      });
    }
    const document = this.#legacyDocument({ root: root ?? '', first, second, extra: parts[3] });
    if (document === undefined) throw unknownPathError();
    return this.#json(exchange, document);
  }

  #legacyDocument({
    root,
    first,
    second,
    extra,
  }: {
    root: string;
    first: string | undefined;
    second: string | undefined;
    extra: string | undefined;
  }) {
    if (extra !== undefined) return undefined;
    if (root === 'api') {
      if (first === undefined) return coreVersions(this.#serverAddress);
      return second === undefined ? resourceList(this.#kinds, first) : undefined;
    }
    if (first === undefined) return groupList(this.#kinds);
    return second === undefined
      ? groupOf(this.#kinds, first)
      : resourceList(this.#kinds, `${first}/${second}`);
  }

  /** JSON, and for version 2 protobuf; clients that ask for protobuf of version 3 alone get 406. */
  async #openApiDocument({ request, response, info }: Exchange, parts: string[]): Promise<void> {
    if (parts.join('/') === 'v2' && request.headers.accept?.startsWith(PROTOBUF_OF_V2.asked)) {
      const body = this.#openApi.v2Protobuf();
      const etag = etagOf(body);
      return respondCached(request, response, {
        status: 200,
        body,
        etag,
        contentType: PROTOBUF_OF_V2.answered,
      });
    }
    const representation = negotiate(request.headers.accept);
    if (representation === undefined) throw notAcceptable(['application/json']);
    const body = this.#openApiBody(parts);
    if (body === undefined) throw unknownPathError();
    if (!info.query.has('hash'))
      return respondCached(request, response, { status: 200, body, etag: etagOf(body) });
    const headers = {
      'cache-control': 'public, immutable',
      expires: new Date(Date.now() + 365 * 86_400_000).toUTCString(),
    };
    await respond(request, response, { status: 200, body, headers: { ...headers, etag: etagOf(body) } });
  }

  #openApiBody([version, root, ...groupVersion]: string[]): string | undefined {
    if (version === 'v2' && root === undefined) return this.#openApi.v2();
    if (version !== 'v3') return undefined;
    if (root === undefined) return this.#openApi.index();
    return root === 'api' || root === 'apis' ? this.#openApi.v3(groupVersion.join('/')) : undefined;
  }

  async #health({ request, response, info }: Exchange, endpoint: string, name: string): Promise<void> {
    const checks = this.#checks.filter((check) => (check.endpoint ?? endpoint) === endpoint);
    const single = checks.find((check) => check.name === name);
    if (name !== '' && single === undefined) throw unknownPathError();
    const { healthy, text } =
      single === undefined
        ? await reportHealth({ endpoint, checks, query: info.query })
        : await reportCheck(single);
    await respond(request, response, {
      status: healthy ? 200 : 500,
      body: text,
      contentType: 'text/plain; charset=utf-8',
      headers: { 'x-content-type-options': 'nosniff' },
    });
  }

  async #metricsText({ request, response }: Exchange): Promise<void> {
    const { text, contentType } = await this.#metrics.text();
    await respond(request, response, { status: 200, body: text, contentType });
  }

  async #issuer(exchange: Exchange): Promise<void> {
    const { path } = exchange.info;
    if (path === '/openid/v1/jwks') return this.#json(exchange, await this.#tokens.keySet());
    if (path !== '/.well-known/openid-configuration') throw unknownPathError();
    const { issuer } = this.#tokens;
    return this.#json(exchange, {
      issuer,
      jwks_uri: `${issuer}/openid/v1/jwks`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256', 'RS256'],
    });
  }
}

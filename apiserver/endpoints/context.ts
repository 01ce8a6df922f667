import type { Logger } from 'pino';
import type { Schema } from '../../api/schema/schema.ts';
import type { CustomResources } from '../custom-resources/custom-resources.ts';
import type { AdmissionChain } from '../admission/admission.ts';
import type { OpenApiDocuments } from '../discovery/openapi.ts';
import type { UserInfo } from '../authentication/user.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import type { ResolvedRules } from '../authorization/rbac.ts';
import type { RequestInfo } from '../http/request-info.ts';
import type { Representation } from '../http/negotiate.ts';
import type { ServerRequest, ServerResponse } from '../http/respond.ts';
import type { KubeletConnections } from '../kubelet-proxy/kubelet-connections.ts';
import type { ApiObject, Kind, Subresource } from '../registry/kind.ts';
import type { KindTable } from '../registry/table.ts';
import type { ServiceAccountTokens } from '../authentication/service-account-tokens.ts';
import type { Feed } from '../storage/feed.ts';
import type { Stores } from '../storage/stores.ts';

/** The parts of a running API server that its endpoints use. */
export interface ServerParts {
  kinds: KindTable;
  stores: Stores;
  customResources: CustomResources;
  feed: Feed;
  openApi: OpenApiDocuments;
  definitions: Record<string, Schema>;
  authorizer: Authorizer;
  /** All rules that a user has in a namespace. */
  rulesFor(user: UserInfo, namespace: string): ResolvedRules;
  admission: AdmissionChain;
  tokens: ServiceAccountTokens;
  kubelets: KubeletConnections;
  log: Logger;
  now(): Date;
  /** Aborted when the server stops: watches end then. */
  stopping: AbortSignal;
}

/** One authenticated and authorised request for a resource. */
export interface ResourceRequest {
  server: ServerParts;
  info: RequestInfo;
  kind: Kind;
  subresource: Subresource | undefined;
  user: UserInfo;
  representation: Representation;
  request: ServerRequest;
  response: ServerResponse;
  /** Texts for the answer's Warning headers; endpoints add to it. */
  warnings: string[];
}

/** What an endpoint answers: an object to be represented as asked, or undefined when it has answered by itself. */
export interface Result {
  status: number;
  object: ApiObject;
  headers?: Record<string, string>;
}

/** An endpoint: one REST verb on a resource. Throws StatusError. */
export type Endpoint = (request: ResourceRequest) => Promise<Result | undefined>;

import type {
  AttachRequest,
  AttachResponse,
  ExecRequest,
  ExecResponse,
  PortForwardRequest,
  PortForwardResponse,
} from './cri/types.ts';

/** What the RPCs want of the streaming server: where a client is to go. */
export interface RuntimeStreaming {
  getExecUrl(request: ExecRequest): Promise<ExecResponse> | ExecResponse;
  getAttachUrl(request: AttachRequest): Promise<AttachResponse> | AttachResponse;
  getPortForwardUrl(request: PortForwardRequest): Promise<PortForwardResponse> | PortForwardResponse;
}

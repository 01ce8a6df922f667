import { isDns1035Label, isDns1123Label } from '../../names.ts';
import type {
  ApiextensionsV1WebhookClientConfig as WebhookClientConfig,
  CustomResourceConversion,
} from '../../types.ts';
import { checkRequiredEnum } from '../../validation/checks.ts';
import type { FieldError } from '../../validation/field-error.ts';
import { forbidden, invalid, required } from '../../validation/field-error.ts';

const REVIEW_VERSIONS = ['v1', 'v1beta1'];

/** How versions are converted (upstream: validation.go validateCustomResourceConversion). */
export function checkConversion(
  conversion: CustomResourceConversion | undefined,
  path: string,
): FieldError[] {
  if (conversion === undefined) return [];
  const { strategy, webhook } = conversion;
  const config = webhook?.clientConfig;
  const versions = webhook?.conversionReviewVersions ?? [];
  const errors = checkRequiredEnum(strategy, `${path}.strategy`, ['None', 'Webhook']);
  if (strategy === 'Webhook')
    return [
      ...errors,
      ...checkClient(config, `${path}.webhookClientConfig`),
      ...checkReviewVersions(versions, `${path}.conversionReviewVersions`),
    ];
  const why = 'should not be set when strategy is not set to Webhook';
  return [
    ...errors,
    ...(config === undefined ? [] : [forbidden(`${path}.webhookClientConfig`, why)]),
    ...(versions.length === 0 ? [] : [forbidden(`${path}.conversionReviewVersions`, why)]),
  ];
}

function checkClient(config: WebhookClientConfig | undefined, path: string): FieldError[] {
  if (config === undefined) return [required(path, 'required when strategy is set to Webhook')];
  const { url, service } = config;
  if ((url === undefined) === (service === undefined))
    return [required(path, 'exactly one of url or service is required')];
  if (url !== undefined) return checkUrl(url, `${path}.url`);
  return service === undefined ? [] : checkService(service, `${path}.service`);
}

const URL_FORM = '; desired format: https://host[/path]';

/** Upstream: apiserver pkg/util/webhook ValidateWebhookURL. */
function checkUrl(text: string, field: string): FieldError[] {
  const url = URL.parse(text);
  if (url === null)
    return [
      required(field, `url must be a valid URL: parse ${JSON.stringify(text)}: invalid URI${URL_FORM}`),
    ];
  const wrong = (value: string, detail: string) => invalid(field, value, `${detail}${URL_FORM}`);
  return [
    ...(url.protocol === 'https:'
      ? []
      : [wrong(url.protocol.slice(0, -1), "'https' is the only allowed URL scheme")]),
    ...(url.host === '' ? [wrong(url.host, 'host must be specified')] : []),
    ...(url.username === '' ? [] : [wrong(url.username, 'user information is not permitted in the URL')]),
    ...(url.hash === '' ? [] : [wrong(url.hash.slice(1), 'fragments are not permitted in the URL')]),
    ...(url.search === ''
      ? []
      : [wrong(url.search.slice(1), 'query parameters are not permitted in the URL')]),
  ];
}

/** Upstream: apiserver pkg/util/webhook ValidateWebhookService. */
function checkService(
  { name, namespace, path, port = 443 }: NonNullable<WebhookClientConfig['service']>,
  field: string,
): FieldError[] {
  return [
    ...(name === '' ? [required(`${field}.name`, 'service name is required')] : []),
    ...(namespace === '' ? [required(`${field}.namespace`, 'service namespace is required')] : []),
    ...(port >= 1 && port <= 65535
      ? []
      : [invalid(`${field}.port`, port, 'port is not valid: must be between 1 and 65535, inclusive')]),
    ...(path === undefined ? [] : checkPath(path, `${field}.path`)),
  ];
}

function checkPath(path: string, field: string): FieldError[] {
  if (path === '' || path === '/' || path === '//')
    return path === '//' ? [invalid(field, path, 'segment[0] may not be empty')] : [];
  if (!path.startsWith('/')) return [invalid(field, path, "must start with a '/'")];
  const steps = (path.endsWith('/') ? path.slice(1, -1) : path.slice(1)).split('/');
  return steps.flatMap((step, index) => {
    if (step === '') return [invalid(field, path, `segment[${index}] may not be empty`)];
    return isDns1123Label(step).map((wrong) => invalid(field, path, `segment[${index}]: ${wrong}`));
  });
}

function checkReviewVersions(versions: string[], path: string): FieldError[] {
  if (versions.length === 0) return [required(path)];
  const errors = versions.flatMap((version, index) => {
    if (versions.indexOf(version) < index)
      return [invalid(`${path}[${index}]`, version, 'duplicate version')];
    return isDns1035Label(version).map((wrong) => invalid(`${path}[${index}]`, version, wrong));
  });
  if (versions.some((version) => REVIEW_VERSIONS.includes(version))) return errors;
  return [...errors, invalid(path, versions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`)];
}

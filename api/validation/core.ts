import { isIP } from 'node:net';
import { isLabelValue, isQualifiedName } from '../names.ts';
import type { Namespace, Node, ServiceAccount, Taint } from '../types.ts';
import { checkQualifiedName, checkRequiredEnum, complaints, nameIsLabel, nameIsSubdomain } from './checks.ts';
import { duplicate, forbidden, invalid } from './field-error.ts';
import type { FieldError } from './field-error.ts';
import {
  checkStandardFinalizer,
  validateCoreObjectMeta,
  validateCoreObjectMetaUpdate,
} from './object-meta.ts';
import { taintEffects } from './pod/scheduling.ts';
import { checkResourceQuantity } from './resources.ts';

export function validateNamespace(namespace: Namespace): FieldError[] {
  return [
    ...validateCoreObjectMeta(namespace, { namespaced: false, nameRule: nameIsLabel }),
    ...(namespace.spec?.finalizers ?? []).flatMap((name) => checkFinalizer(name, 'spec.finalizers')),
  ];
}

/** Checks a write to namespaces/finalize. */
export function validateNamespaceFinalize(namespace: Namespace, old: Namespace): FieldError[] {
  return [
    ...validateCoreObjectMetaUpdate(namespace, old),
    ...(namespace.spec?.finalizers ?? []).flatMap((name, index) =>
      checkFinalizer(name, `spec.finalizers[${index}]`),
    ),
  ];
}

/** Checks a write to namespaces/status. */
export function validateNamespaceStatus(namespace: Namespace, old: Namespace): FieldError[] {
  const ending = namespace.metadata?.deletionTimestamp !== undefined;
  const phase = namespace.status?.phase ?? '';
  const wanted = ending ? 'Terminating' : 'Active';
  const when = ending ? 'not empty' : 'empty';
  return [
    ...validateCoreObjectMetaUpdate(namespace, old),
    ...(phase === wanted
      ? []
      : [invalid('status.Phase', phase, `may only be '${wanted}' if \`deletionTimestamp\` is ${when}`)]),
  ];
}

function checkFinalizer(name: string, field: string): FieldError[] {
  return [...complaints(field, name, isQualifiedName(name)), ...checkStandardFinalizer(name, field)];
}

export function validateServiceAccount(account: ServiceAccount): FieldError[] {
  return validateCoreObjectMeta(account, { namespaced: true, nameRule: nameIsSubdomain });
}

export function validateNode(node: Node): FieldError[] {
  return [
    ...validateCoreObjectMeta(node, { namespaced: false, nameRule: nameIsSubdomain }),
    ...validateTaints(node.spec?.taints),
    ...validateNodeResources(node),
    ...validatePodCidrs(node.spec?.podCIDRs ?? []),
  ];
}

export function validateNodeUpdate(node: Node, old: Node): FieldError[] {
  const oldCidrs = old.spec?.podCIDRs ?? [];
  const cidrs = node.spec?.podCIDRs ?? [];
  const oldProvider = old.spec?.providerID ?? '';
  return [
    ...validateCoreObjectMetaUpdate(node, old),
    ...validateNodeResources(node),
    ...checkAddresses(node),
    ...(oldCidrs.length > 0 && oldCidrs.join() !== cidrs.join()
      ? [forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid')]
      : []),
    ...(oldProvider !== '' && oldProvider !== node.spec?.providerID
      ? [forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid')]
      : []),
    ...validateTaints(node.spec?.taints),
  ];
}

function checkAddresses({ status }: Node): FieldError[] {
  const seen = new Set<string>();
  return (status?.addresses ?? []).flatMap(({ type, address }, index) => {
    const key = `${type}\n${address}`;
    if (seen.has(key)) return [duplicate(`status.addresses[${index}]`, { Type: type, Address: address })];
    seen.add(key);
    return [];
  });
}

function validateNodeResources({ status }: Node): FieldError[] {
  return (['capacity', 'allocatable'] as const).flatMap((list) =>
    Object.entries(status?.[list] ?? {}).flatMap(([name, amount]) =>
      checkResourceQuantity(name, amount, `status.${list}.${name}`),
    ),
  );
}

/** Taints are said to lie in the metadata, as upstream has it. */
function validateTaints(taints: Taint[] | undefined): FieldError[] {
  const seen = new Set<string>();
  return (taints ?? []).flatMap((taint, index) => {
    const at = `metadata.taints[${index}]`;
    const { key = '', value = '', effect = '' } = taint;
    const wrongValue = isLabelValue(value);
    const repeated = seen.has(`${key}\n${effect}`);
    seen.add(`${key}\n${effect}`);
    return [
      ...checkQualifiedName(key, `${at}.key`),
      ...(wrongValue.length === 0 ? [] : [invalid(`${at}.value`, value, wrongValue.join(';'))]),
      ...checkRequiredEnum(effect, `${at}.effect`, taintEffects),
      ...(repeated ? [duplicateTaint(at, taint)] : []),
    ];
  });
}

function duplicateTaint(at: string, { key, value = '', effect }: Taint): FieldError {
  const error = duplicate(at, { Key: key, Value: value, Effect: effect, TimeAdded: null });
  return { ...error, message: `${error.message}: taints must be unique by key and effect pair` };
}

function validatePodCidrs(cidrs: string[]): FieldError[] {
  const families = new Set(cidrs.map((cidr) => isIP(cidr.split('/')[0] ?? '')));
  return [
    ...cidrs.flatMap((cidr, index) =>
      isCidr(cidr)
        ? []
        : [
            invalid(
              `spec.podCIDRs[${index}]`,
              cidr,
              'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
            ),
          ],
    ),
    ...(cidrs.length > families.size
      ? [invalid('spec.podCIDRs', cidrs, 'may specify no more than one CIDR for each IP family')]
      : []),
  ];
}

function isCidr(text: string): boolean {
  const [address = '', bits = '', ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(bits)) return false;
  return Number(bits) <= (family === 4 ? 32 : 128);
}

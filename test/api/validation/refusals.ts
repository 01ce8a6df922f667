import test from 'ava';
import { fieldErrorText } from '../../../api/validation/field-error.ts';
import { validatePod } from '../../../api/validation/pod/pod.ts';
import { validPod } from './pods.ts';
import type { PlainPod } from './pods.ts';

type Change = (pod: PlainPod) => void;

export type Refusal = [title: string, change: Change, errors: string[]];

/** A test that a valid Pod, changed like this, gets exactly these errors in this order. */
export function refuses([title, change, errors]: Refusal): void {
  test(title, (t) => t.deepEqual(validatePod(validPod(change)).map(fieldErrorText), errors));
}

/** Sets fields of the container. */
export function inContainer(fields: Record<string, unknown>): Change {
  return (pod) => Object.assign(pod.spec.containers[0], fields);
}

/** Sets fields of the spec. */
export function inSpec(fields: Record<string, unknown>): Change {
  return (pod) => Object.assign(pod.spec, fields);
}

/** Gives the Pod a volume with this source. */
export function volumeOf(source: Record<string, unknown>): Change {
  return inSpec({ volumes: [{ name: 'v', ...source }] });
}

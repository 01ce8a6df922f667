import type { Container, PodSpec } from '../../api/types.ts';

/** A container of an image that the fake runtime has. */
export const main = (more: Partial<Container> = {}): Container => ({
  name: 'main',
  image: 'busybox',
  imagePullPolicy: 'IfNotPresent',
  ...more,
});

/** A Pod of one container, that ends at once. */
export const spec = (more: Partial<PodSpec> = {}): PodSpec => ({
  containers: [main()],
  terminationGracePeriodSeconds: 1,
  ...more,
});

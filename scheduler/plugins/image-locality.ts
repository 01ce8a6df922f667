import type { Pod } from '../../api/types.ts';
import type { PluginFactory, SchedulerHandle } from '../framework/handle.ts';
import type { NodeInfo } from '../framework/node-info.ts';

const mebibyte = 1024 * 1024;
const minThreshold = 23 * mebibyte;
const maxContainerThreshold = 1000 * mebibyte;

/** Likes a node that has the pod's big images already, unless few nodes have them (upstream's image_locality.go). */
export const imageLocality: PluginFactory = (handle) => ({
  name: 'ImageLocality',
  score({ pod, node }) {
    const { containers = [], initContainers = [] } = pod.spec ?? {};
    const maxThreshold = maxContainerThreshold * (containers.length + initContainers.length);
    const bytes = imagesOf(pod).reduce((sum, image) => sum + presentBytes(image, node, handle), 0);
    const bounded = Math.min(Math.max(bytes, minThreshold), maxThreshold);
    return Math.floor((100 * (bounded - minThreshold)) / (maxThreshold - minThreshold));
  },
});

const imagesOf = (pod: Pod): string[] => {
  const { containers = [], initContainers = [], volumes = [] } = pod.spec ?? {};
  const references = volumes.flatMap(({ image }) =>
    image?.reference === undefined ? [] : [image.reference],
  );
  return [...initContainers, ...containers].map(({ image = '' }) => image).concat(references);
};

/** The image's size on this node, scaled by the share of nodes that have it. */
const presentBytes = (image: string, node: NodeInfo, handle: SchedulerHandle): number => {
  const name = image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image;
  const bytes = node.images.get(name);
  if (bytes === undefined) return 0;
  const nodes = handle.nodes();
  const holders = nodes.filter(({ images }) => images.has(name)).length;
  return Math.floor((bytes * holders) / nodes.length);
};

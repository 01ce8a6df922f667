import { existsSync } from 'node:fs';
import { belongingTo } from '../cluster/belonging.ts';
import { clusterPaths } from '../cluster/paths.ts';
import {
  buildBusybox,
  type ImageRecord,
  type ImageStore,
  loadImages,
  openImageStore,
  pullImage,
} from '../runtime/images/index.ts';

/** Runs one verb of `podwright image` on the images of a cluster, which its nodes share and see at once. */
export async function imageCommand(cluster: string, verb: string, argument: string): Promise<void> {
  const { images, state } = clusterPaths(cluster);
  if (!existsSync(state)) {
    throw new Error(
      `image ${verb}: there is no cluster '${cluster}'; start it with 'podwright up --name ${cluster}'`,
    );
  }
  const act = verbs[verb];
  if (act === undefined) throw new Error(`image: unknown verb '${verb}'`);
  Object.assign(process.env, belongingTo(cluster)); // skopeo and umoci end with the cluster that they work for
  await act(openImageStore({ dir: images }), argument);
}

const verbs: Record<string, (store: ImageStore, argument: string) => Promise<void>> = {
  async load(store, file) {
    if (!existsSync(file)) throw new Error(`image load: no such file or folder: ${file}`);
    for (const image of await loadImages({ store, file })) report('loaded', image);
  },
  async pull(store, name) {
    report('pulled', await pullImage({ store, name }));
  },
  ls(store) {
    print(['IMAGE'.padEnd(56), 'ID'.padEnd(14), 'SIZE'].join(' '));
    for (const image of store.list()) {
      for (const name of namesOf(image)) {
        print(
          [name.padEnd(56), image.id.replace('sha256:', '').slice(0, 12).padEnd(14), megabytes(image)].join(
            ' ',
          ),
        );
      }
    }
    return Promise.resolve();
  },
  async rm(store, name) {
    const image = store.find(name);
    if (image === undefined)
      throw new Error(`image rm: there is no image '${name}' (see 'podwright image ls')`);
    await store.remove(name);
    report('removed', image);
  },
  async 'build-busybox'(store) {
    report('built', await buildBusybox(store));
  },
};

const namesOf = ({ tags, digests, id }: ImageRecord): string[] =>
  [tags, digests].find((names) => names.length > 0) ?? [id];

/** An image comes and goes with all of its names, so each of them is told. */
function report(done: string, image: ImageRecord): void {
  for (const name of namesOf(image)) print(`${done} ${name}`);
}

const megabytes = ({ sizeBytes }: ImageRecord): string => `${(sizeBytes / 1e6).toFixed(1)}MB`;
const print = (line: string): void => void process.stdout.write(`${line}\n`);

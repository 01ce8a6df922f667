/** One property of a Kubernetes type, as the client package's model describes it. */
export interface ModelProperty {
  /** The name on the wire (`continue`, not `_continue`). */
  name: string;
  /** In the model's own words: `Array<V1EnvVar>`, `{ [key: string]: string; }`, `IntOrString`, `Date`, ... */
  type: string;
  /** `int32`, `int64`, `double`, `byte`, `date-time`, `date-time-micro`, `int-or-string`, or empty. */
  format: string;
  required: boolean;
  description: string;
}

/** One Kubernetes type. */
export interface Model {
  /** The client package's name: `V1Pod`, `CoreV1Event`, `V2HorizontalPodAutoscaler`. */
  name: string;
  description: string;
  properties: ModelProperty[];
}

interface Attribute {
  name: string;
  baseName: string;
  type: string;
  format: string;
}

/**
 * Reads one model of `@kubernetes/client-node` from the text of its declaration (`.d.ts`: descriptions, what is
 * optional) and of its code (`.js`: wire names, types, formats). Both files are generated, so that their lines are regular.
 * Returns nothing for a file that holds no model.
 */
export function readModel(declaration: string, code: string): Model | undefined {
  const header = /\/\*\*\n\* (.*)\n\*\/\nexport declare class (\w+)|export declare class (\w+)/.exec(
    declaration,
  );
  const name = header?.[2] ?? header?.[3];
  const attributes = attributesIn(code);
  if (header === null || name === undefined || attributes === undefined) return undefined;
  const declared = declaredProperties(declaration.slice(header.index + header[0].length));
  const properties = attributes.map((attribute) => {
    const { optional = true, description = '' } = declared.get(attribute.name) ?? {};
    return {
      name: attribute.baseName,
      type: attribute.type,
      format: attribute.format,
      required: !optional,
      description,
    };
  });
  return { name, description: plainText(header[1] ?? ''), properties };
}

function attributesIn(code: string): Attribute[] | undefined {
  const start = code.indexOf('.attributeTypeMap = [');
  if (start < 0) return undefined;
  const open = code.indexOf('[', start);
  return JSON.parse(code.slice(open, code.indexOf('\n];', open) + 2).replace('[];', '[]')) as Attribute[];
}

function declaredProperties(body: string): Map<string, { optional: boolean; description: string }> {
  const declared = new Map<string, { optional: boolean; description: string }>();
  let description = '';
  for (const line of body.split('\n')) {
    const comment = /^ {4}\* (.*)$/.exec(line);
    const property = /^ {4}'(.+?)'(\??): /.exec(line);
    if (comment !== null) description = plainText(comment[1] ?? '');
    else if (property !== null) {
      declared.set(property[1] ?? '', { optional: property[2] === '?', description });
      description = '';
    }
  }
  return declared;
}

/** Undoes the generator's escapes. */
function plainText(comment: string): string {
  return comment
    .replaceAll(/\\(['"\\])/g, '$1')
    .replaceAll('*_/', '*/')
    .trim();
}

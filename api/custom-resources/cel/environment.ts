import { Environment } from '@marcbachmann/cel-js';
import { formatLibrary } from './format-functions.ts';
import { ipLibrary } from './ip-functions.ts';
import { addLibrary, addNullComparison } from './library.ts';
import { listLibrary, setLibrary } from './list-functions.ts';
import { addMacros } from './macros.ts';
import { quantityLibrary } from './quantity-functions.ts';
import { semverLibrary } from './semver-functions.ts';
import { regexLibrary, textLibrary } from './text-functions.ts';
import { urlLibrary } from './url-functions.ts';

/** Types of the package that may be compared with null, though they never are it. */
const NULLABLE = ['optional', 'google.protobuf.Timestamp', 'google.protobuf.Duration'];

let base: Environment | undefined;

/**
 * An environment with the functions that Kubernetes gives to rules (https://kubernetes.io/docs/reference/using-api/cel/), to which a
 * caller adds its own types and variables.
 */
export const newEnvironment = (): Environment => (base ??= baseEnvironment()).clone();

function baseEnvironment(): Environment {
  const environment = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false });
  const libraries = [
    textLibrary,
    regexLibrary,
    listLibrary,
    setLibrary,
    urlLibrary,
    ipLibrary,
    quantityLibrary,
    formatLibrary,
    semverLibrary,
  ];
  for (const library of libraries) addLibrary(environment, library);
  for (const type of NULLABLE) addNullComparison(environment, type);
  addMacros(environment);
  return environment;
}

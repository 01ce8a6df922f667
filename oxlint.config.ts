import { defineConfig } from 'oxlint';
import type { OxlintOverride } from 'oxlint';

/** The house, top to bottom (docs/architecture.md): a folder imports itself and what stands below it. */
const house = [
  'cli',
  'cluster',
  'kubelet',
  'controllers',
  'scheduler',
  'csi',
  'network',
  'runtime',
  'cgroups',
  'apiserver',
  'client',
  'store',
  'api',
  'linux',
];

/** Packages that only one folder may import, and what everyone else uses in their place. */
const keptBy = {
  linux: [
    { name: 'koffi', message: 'Use the functions of linux/.' },
    { name: 'execa', message: 'Use run() of linux/command.ts.' },
  ],
  store: [{ name: 'lmdb', message: 'Use the Store interface of store/.' }],
};

const bannedPackages = (folder: string) =>
  Object.entries(keptBy).flatMap(([keeper, packages]) => (keeper === folder ? [] : packages));

const foldersAbove = (folder: string) => house.slice(0, house.indexOf(folder));

export default defineConfig({
  plugins: ['typescript', 'unicorn', 'oxc', 'import', 'node'],
  categories: { correctness: 'error' },
  rules: {
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': ['error', { checksVoidReturn: false }],
    'typescript/await-thenable': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/switch-exhaustiveness-check': 'error',
    'no-empty': 'error',
    'no-var': 'error',
    'prefer-const': 'error',
    eqeqeq: ['error', 'always', { null: 'ignore' }],
    'import/no-cycle': 'error',
  },
  ignorePatterns: ['node_modules', 'api/generated', 'build'],
  overrides: [
    {
      // What is checked here comes from outside: a field that its type calls required may be missing.
      files: ['api/validation/**/*.ts', 'api/defaults/**/*.ts'],
      rules: { 'typescript/no-useless-default-assignment': 'off' },
    },
    ...house.map((folder): OxlintOverride => ({
      files: [`${folder}/**/*.ts`],
      rules: {
        'no-restricted-imports': [
          'error',
          {
            paths: bannedPackages(folder),
            patterns: foldersAbove(folder).map((above) => ({
              regex: `^(\\.\\./)+${above}/`,
              message: `${folder}/ stands below ${above}/; an import only ever goes down the house.`,
            })),
          },
        ],
      },
    })),
  ],
});

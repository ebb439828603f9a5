import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

const globalsOf = (names) => Object.fromEntries(names.split(' ').map((name) => [name, 'readonly']));

export default tseslint.config(
  { ignores: ['build/', 'dist/', 'prebuilds/'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      eqeqeq: 'error',
    },
  },
  // Chai's assertions read as sentences: `expect(x).to.be.true` is an expression, not a forgotten call.
  { files: ['test/**/*.ts'], rules: { '@typescript-eslint/no-unused-expressions': 'off' } },
  {
    files: [
      'scripts/**',
      'test/package/**',
      'test/mpi/**',
      'test/tfjs/suites/**',
      'test/server/load/**',
      'examples/**/*.mjs',
    ],
    languageOptions: {
      globals: {
        console: 'readonly',
        fetch: 'readonly',
        performance: 'readonly',
        process: 'readonly',
        setImmediate: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        Buffer: 'readonly',
        URL: 'readonly',
      },
    },
  },
  {
    files: ['test/server/browser/**'],
    languageOptions: {
      globals: {
        ...globalsOf('console process performance setTimeout clearTimeout setInterval Buffer URL'),
        ...globalsOf('describe it before after beforeEach afterEach'),
        // What runs in the browser.
        ...globalsOf('document getComputedStyle localStorage scrollBy'),
      },
    },
  },
  // What tsc knows of browsers, eslint need not.
  { files: ['examples/server/page/**'], rules: { 'no-undef': 'off' } },
  {
    files: ['**/*.cjs'],
    languageOptions: { sourceType: 'commonjs', globals: { __dirname: 'readonly' } },
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
);

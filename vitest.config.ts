import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    // Longer than all the rest may take: `make week`.
    exclude: process.env.WEEK ? [] : ['tests/e2e/week.test.ts'],
    globalSetup: ['tests/support/global.ts'],
    setupFiles: ['tests/support/nock.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})

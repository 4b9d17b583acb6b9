/** A file of the installed package, such as `config/weir.yaml`; built code lies one folder deeper than its source. */
export const packaged = (path: string): URL => new URL(import.meta.url.includes('/dist/') ? `../../${path}` : `../${path}`, import.meta.url)

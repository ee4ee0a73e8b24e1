import { Api } from '../protocol/http';
import type { PageConfig } from '../protocol/types';

let config: Promise<PageConfig> | undefined;

export function pageConfig(): Promise<PageConfig> {
  config ??= new Api(() => '').get<PageConfig>('/config').catch((error: unknown) => {
    config = undefined;
    throw error;
  });
  return config;
}

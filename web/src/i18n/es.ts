import { en } from './en';
import type { Catalog } from './I18nContext';
export const es: Catalog = { ...en };

import type { CourierState } from '../protocol/types';

export type Theme = 'light' | 'dark';

export interface Palette {
  ground: string;
  outside: string;
  block: string;
  park: string;
  water: string;
  minor: string;
  major: string;
  casing: string;
  lattice: string;
  ink: string;
  halo: string;
  accent: string;
  onAccent: string;
  route: string;
  pickup: string;
  dropoff: string;
  supply: string;
  demand: string;
  even: string;
  courier: Record<CourierState, string>;
}

export const palettes: Record<Theme, Palette> = {
  light: {
    ground: '#eeebe4',
    outside: '#e4e1d9',
    block: '#e3dfd5',
    park: '#d9e5d0',
    water: '#cadde5',
    minor: '#fcfbf9',
    major: '#ffffff',
    casing: '#d6d1c5',
    lattice: '#dcd8ce',
    ink: '#191d1b',
    halo: '#ffffff',
    accent: '#0a6152',
    onAccent: '#ffffff',
    route: '#3a4a45',
    pickup: '#835000',
    dropoff: '#191d1b',
    supply: '#1b8a72',
    demand: '#c2571a',
    even: '#8a8d86',
    courier: { free: '#13795f', offered: '#a76500', busy: '#1f62a8', break: '#6d6a86', stale: '#b23a28', offline: '#777c79' },
  },
  dark: {
    ground: '#161a19',
    outside: '#111413',
    block: '#1c2120',
    park: '#1a2a20',
    water: '#14262e',
    minor: '#252b29',
    major: '#313836',
    casing: '#121514',
    lattice: '#232928',
    ink: '#e8ebe8',
    halo: '#101312',
    accent: '#63cbae',
    onAccent: '#06231c',
    route: '#aab5b0',
    pickup: '#eab964',
    dropoff: '#e8ebe8',
    supply: '#4fc3a1',
    demand: '#ef8e52',
    even: '#6d7672',
    courier: { free: '#5cc9a7', offered: '#eab14e', busy: '#78aef0', break: '#a8a4c6', stale: '#f2836f', offline: '#8b938f' },
  },
};

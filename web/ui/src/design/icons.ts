// Outlines on a 24 × 24 grid, stroke 1.75; one constant each so that a page
// carries only what it uses.
export const check = 'M5 12.5l4.5 4.5L19 7.5';
export const cross = 'M6 6l12 12M18 6L6 18';
export const chevron = 'M9 5l7 7-7 7';
export const back = 'M15 5l-7 7 7 7';
export const phone =
  'M6.5 3.5h2.6l1.4 4-2 1.6a11 11 0 0 0 6.4 6.4l1.6-2 4 1.4v2.6a2 2 0 0 1-2.2 2A16.3 16.3 0 0 1 4.5 5.7a2 2 0 0 1 2-2.2z';
export const message = 'M4.5 5h15v11h-8l-4.500 3.500V16h-2.500z';
export const pin = 'M12 21s-6.5-5.6-6.5-11a6.5 6.5 0 0 1 13 0c0 5.4-6.5 11-6.5 11zM12 12.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4z';
export const store = 'M4.5 10v9.5h15V10M3 10l1.8-5.5h14.4L21 10M3 10a2.3 2.3 0 0 0 4.5 0 2.3 2.3 0 0 0 4.5 0 2.3 2.3 0 0 0 4.5 0 2.3 2.3 0 0 0 4.5 0M9.5 19.5V15h5v4.5';
export const home = 'M4 11.5L12 4.5l8 7M6 10v9.5h12V10M10 19.5V14h4v5.5';
export const undo = 'M9 6L4.5 10.5 9 15M5 10.5h9a5 5 0 0 1 0 10h-3';
export const alert = 'M12 4L2.8 19.5h18.4L12 4zM12 10v4.5M12 17.2v.1';
export const clock = 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7.5V12l3 2';
export const search = 'M10.5 17.5a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM15.7 15.7L21 21';
export const plus = 'M12 5v14M5 12h14';
export const minus = 'M5 12h14';
export const fit = 'M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5';
export const list = 'M8.5 6.5H20M8.5 12H20M8.5 17.5H20M4 6.5h.1M4 12h.1M4 17.5h.1';
export const map = 'M3.5 6.5l5.5-2.5 6 2.5 5.5-2.5v13.5L15 20l-6-2.5L3.5 20zM9 4v13.5M15 6.5V20';
export const panel = 'M4 4.5h16v15H4zM14 4.5v15';
export const bell = 'M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15zM10 20.5h4';
export const link = 'M10 14a4 4 0 0 0 5.7 0l3.1-3.1a4 4 0 0 0-5.7-5.7L12 6.3M14 10a4 4 0 0 0-5.7 0l-3.1 3.1a4 4 0 0 0 5.7 5.7l1.1-1.1';
export const key = 'M8 15.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM11.5 12H20.5M16.5 12v3M20.5 12v3.5';
export const hex = 'M12 3l7.8 4.5v9L12 21l-7.8-4.5v-9z';
export const arrow = 'M5 12h13.5M13 6.5l5.5 5.5-5.5 5.5';
export const navigate = 'M20 4L3.5 11l7 2.5L13 20.5z';
export const away = 'M3 3l18 18M8.5 15.5a5 5 0 0 1 6.5-.5M5.5 12a9.5 9.5 0 0 1 4-2.3M13.5 9.3a9.5 9.5 0 0 1 5 2.7M3 8.7a14 14 0 0 1 3.5-2.3M10.5 5.1A14 14 0 0 1 21 8.7M12 19h.1';
export const box = 'M12 3.5l8 4v9l-8 4-8-4v-9zM4 7.5l8 4 8-4M12 11.5v9';
export const pause = 'M9 6v12M15 6v12';
export const power = 'M12 3.5V12M7 6.5a7.5 7.5 0 1 0 10 0';
export const play = 'M8 5.5l10.5 6.5L8 18.5z';
export const area = 'M5 8.5l8-4 6.5 5-3 9-9.5 1zM5 8.500a1.5 1.5 0 1 0 0-.1M13 4.500a1.5 1.5 0 1 0 0-.1M19.5 9.500a1.5 1.5 0 1 0 0-.1M16.5 18.500a1.5 1.5 0 1 0 0-.1M7 19.500a1.5 1.5 0 1 0 0-.1';
export const history = 'M4 12a8 8 0 1 0 2.6-5.900L4 8.500M4 4v4.500h4.500M12 8v4.500l3 1.8';
export const target = 'M12 19a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM12 2.500V7M12 17v4.500M2.5 12H7M17 12h4.500M12 12h.1';
export const trash = 'M4.5 7h15M9.5 7V4.500h5V7M6.5 7l1 12.500h9l1-12.500M10.5 11v5M13.5 11v5';
export const note = 'M5 4.5h14v11l-4 4H5zM15 19.5v-4h4M8.5 9h7M8.5 12.5h4';

export const menu = 'M4 7h16M4 12h16M4 17h16';
export const camera = 'M4 8h3.5l1.8-2.5h5.4L16.5 8H20v11H4zM12 16.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z';
export const pen = 'M4 20l1-4.5L16 4.5l3.5 3.5L8.5 19zM14 6.5L17.5 10M13 20h7';
export const battery = 'M3 8h15.5v8H3zM21 11v2M6 11v2M9 11v2';
export const sound = 'M4 10v4h3.5l4.5 4V6L7.5 10zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11';
export const download = 'M12 4v11M7.5 11l4.5 4.5L16.5 11M5 20h14';
export const sun = 'M12 16.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4';
export const receipt = 'M5.5 3.5h13v17l-2.2-1.5-2.1 1.5-2.2-1.5-2.2 1.5-2.1-1.5-2.2 1.5zM9 8.5h6M9 12.5h6';
export const disk = 'M4 6c0-1.4 3.6-2.5 8-2.5S20 4.6 20 6v12c0 1.4-3.6 2.5-8 2.5S4 19.4 4 18zM4 6c0 1.4 3.6 2.5 8 2.5S20 7.4 20 6M4 12c0 1.4 3.6 2.5 8 2.5s8-1.1 8-2.5';
export const refresh = 'M20 11a8 8 0 0 0-14.5-3.5L3.5 10M3.5 5v5h5M4 13a8 8 0 0 0 14.5 3.5l2-2.5M20.5 19v-5h-5';

export const vehicles = {
  foot: 'M13 5.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM9 21l2.5-6L10 12l1-4.5 3 1 1.5 2.5 2.5.8M10.8 8L8 9.5 7 13M12 14.5l2.5 2.5.5 4',
  bicycle: 'M6 18.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM18 18.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM6 15l3-7h6.5l2.5 7M9 8l4 7H6M13 15l3-6M8 6.5h2.5M15 6.5h2.5',
  scooter: 'M6 18.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM18 18.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM8.5 16H13c0-3 1.5-5 4-5.5L15.5 5H13M4 13c0-2 1.5-3 3.5-3H12',
  car: 'M4 16.5v-4l2-5.5h12l2 5.5v4zM4 12.5h16M6 16.5v2M18 16.5v2M7.2 14.5h.1M16.8 14.5h.1',
  van: 'M2.5 6.5h11.5v10H2.5zM14 9.5h4l3.5 4v3H14M6.5 18.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM17.5 18.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4z',
} as const;

export const filter = 'M4 6h16M7 12h10M10.5 18h3';
export const chart = 'M4 20V4M4 20h16M8.5 16.500v-5M13 16.500V8M17.500 16.500v-7';
export const sheet = 'M4 5h16v14H4zM4 9.5h16M4 14.3h16M10 5v14';
export const keyboard = 'M3 6.500h18v11H3zM6.500 10h.1M10 10h.1M13.500 10h.1M17 10h.1M8 14h8';
export const stray = 'M4 19c5 0 3-7 8-7s3-7 8-7M16.500 13.500l5 5M21.500 13.500l-5 5';
export const person = 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.500 20.500c.8-4 3.700-6 7.500-6s6.700 2 7.500 6';
export const edit = 'M5 19l1-4L16.500 4.500l3 3L9 18zM14 7l3 3';

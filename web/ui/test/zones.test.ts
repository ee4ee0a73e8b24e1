import { expect, test } from 'vitest';
import { Zones } from '../src/dispatcher/zones.svelte';
import { Problem, type Api } from '../src/protocol/http';
import type { Zone, ZoneArea } from '../src/protocol/types';

const area: ZoneArea = { type: 'Polygon', coordinates: [[[4, 52], [5, 52], [5, 53], [4, 52]]] };
const centre: Zone = { id: 'z1', name: 'Centre', area, version: 1 };

// A server with one zone, which says no as the real one does.
class Server {
  zones = new Map<string, Zone>([[centre.id, centre]]);
  api = {
    get: async () => ({ zones: [...this.zones.values()] }),
    post: async (_: string, body: { name: string; area: ZoneArea }) => this.keep({ id: `z${this.zones.size + 7}`, ...body, version: 1 }),
    put: async (path: string, { version, ...body }: { name: string; area: ZoneArea; version: number }) => {
      const now = this.seen(path.slice('/zones/'.length), version);
      return this.keep({ ...now, ...body, version: now.version + 1 });
    },
    delete: async (path: string) => {
      const [, id, version] = path.match(/^\/zones\/(\w+)\?version=(\d+)$/)!;
      this.seen(id!, Number(version));
      this.zones.delete(id!);
    },
  } as unknown as Api;

  keep(zone: Zone): Zone {
    this.zones.set(zone.id, zone);
    return zone;
  }

  private seen(id: string, version: number): Zone {
    const now = this.zones.get(id);
    if (!now) throw new Problem({ status: 404, code: 'not_found' });
    if (now.version !== version) throw new Problem({ status: 409, code: 'conflict', current: now });
    return now;
  }
}

async function opened() {
  const server = new Server();
  const zones = new Zones(server.api, (error) => (error as Error).message);
  await zones.load();
  zones.open(zones.list[0]);
  return { server, zones, edit: zones.edit! };
}

test('a zone is saved on the version that was seen', async () => {
  const { server, zones, edit } = await opened();
  edit.name = ' Old town ';
  expect(await zones.save()).toBe(true);
  expect(server.zones.get('z1')).toMatchObject({ name: 'Old town', version: 2 });
  expect(zones.edit).toBeUndefined();
  expect(zones.list.map(({ name }) => name)).toEqual(['Old town']);
});

test('whoever was slower is told, and may keep theirs or their own', async () => {
  const { server, zones, edit } = await opened();
  server.keep({ ...centre, name: 'Harbour', version: 2 });
  edit.name = 'Old town';
  expect(await zones.save()).toBe(false);
  expect(edit.theirs).toMatchObject({ name: 'Harbour' });
  expect(server.zones.get('z1')!.name).toBe('Harbour');
  edit.keepMine();
  expect(await zones.save()).toBe(true);
  expect(server.zones.get('z1')).toMatchObject({ name: 'Old town', version: 3 });

  zones.open(zones.list[0]);
  const again = zones.edit!;
  const theirs = server.keep({ ...centre, name: 'Quays', version: 4 });
  again.name = 'Mine';
  await zones.save();
  again.takeTheirs(theirs);
  expect(again.name).toBe('Quays');
  expect(again.changed).toBe(false);
});

test('what was deleted meanwhile can be made anew', async () => {
  const { server, zones, edit } = await opened();
  server.zones.clear();
  edit.name = 'Old town';
  await zones.save();
  expect(edit.theirs).toBe('gone');
  expect(zones.list).toEqual([]);
  edit.keepMine();
  expect(await zones.save()).toBe(true);
  expect([...server.zones.values()].map(({ name }) => name)).toEqual(['Old town']);
});

test('deleting is done at once and can be taken back', async () => {
  const { server, zones } = await opened();
  await zones.remove(zones.list[0]!);
  expect([server.zones.size, zones.list.length, zones.edit]).toEqual([0, 0, undefined]);
  await zones.restore();
  expect([...server.zones.values()]).toMatchObject([{ name: 'Centre', area }]);
  expect(zones.deleted).toBeUndefined();
});

test('nobody deletes what somebody else has just changed', async () => {
  const { server, zones } = await opened();
  const seen = zones.list[0]!;
  server.keep({ ...centre, name: 'Harbour', version: 2 });
  await zones.remove(seen);
  expect(server.zones.size).toBe(1);
  expect(zones.problem).not.toBe('');
  expect(zones.list[0]!.name).toBe('Harbour');
});

test('each change of a border is taken back, one after the other', async () => {
  const { edit } = await opened();
  const before = edit.shape;
  edit.change({ polygons: [] });
  expect(edit.ready).toBe(false);
  edit.undo();
  expect(edit.shape).toBe(before);
  expect(edit.undoable).toBe(false);
});

test('a new zone is drawn corner by corner', async () => {
  const { zones } = await opened();
  zones.open();
  const edit = zones.edit!;
  const corner = (lng: number, lat: number) => ({ lat, lng });
  edit.change({ polygons: [[[corner(0, 0), corner(1, 0)]]] });
  edit.close();
  expect(edit.drawing).toBe(true);
  edit.change({ polygons: [[[corner(0, 0), corner(1, 0), corner(1, 1)]]] });
  edit.close();
  edit.name = 'North';
  expect(edit.ready).toBe(true);
  await zones.save();
  expect(zones.list.map(({ name }) => name)).toEqual(['Centre', 'North']);
});

import { faultOf, toArea, toShape, type Shape } from '../map/shape';
import { Problem, type Api } from '../protocol/http';
import type { Zone } from '../protocol/types';

// ZoneEdit is one zone under someone's hands, new or not.
export class ZoneEdit {
  name = $state('');
  shape = $state.raw<Shape>({ polygons: [] });
  drawing = $state(false);
  busy = $state(false);
  problem = $state('');
  // Somebody else was faster: what it is now, or that it is gone.
  theirs = $state.raw<Zone | 'gone'>();
  private past = $state.raw<Shape[]>([]);
  private before = $state.raw<Zone>();

  constructor(zone?: Zone) {
    this.before = zone;
    this.drawing = !zone;
    if (!zone) return;
    this.name = zone.name;
    this.shape = toShape(zone.area);
  }

  // base is the zone as it was when the editing began.
  get base(): Zone | undefined {
    return this.before;
  }

  fault = $derived(faultOf(this.shape));
  ready = $derived(this.name.trim() !== '' && !this.fault && !this.drawing);
  undoable = $derived(this.past.length > 0);
  changed = $derived(!this.before || this.past.length > 0 || this.name.trim() !== this.before.name);

  change(shape: Shape): void {
    this.past = [...this.past, this.shape];
    this.shape = shape;
  }

  undo(): void {
    const last = this.past.at(-1);
    if (!last) return;
    this.past = this.past.slice(0, -1);
    this.shape = last;
    if (!this.before && (last.polygons[0]?.[0]?.length ?? 0) < 3) this.drawing = true;
  }

  // begin takes a shape that is whole already.
  begin(shape: Shape): void {
    this.change(shape);
    this.drawing = false;
  }

  close(): void {
    if ((this.shape.polygons[0]?.[0]?.length ?? 0) > 2) this.drawing = false;
  }

  // keepMine goes on with what was drawn here, on top of theirs.
  keepMine(): void {
    if (this.theirs && this.theirs !== 'gone') this.before = this.theirs;
    else this.before = undefined;
    this.theirs = undefined;
  }

  takeTheirs(zone: Zone): void {
    this.before = zone;
    this.name = zone.name;
    this.shape = toShape(zone.area);
    this.past = [];
    this.theirs = undefined;
  }

  get body(): object {
    return { name: this.name.trim(), area: toArea(this.shape), version: this.before?.version };
  }
}

// Zones are the service areas, and the one that is being edited.
export class Zones {
  list = $state.raw<Zone[]>([]);
  loaded = $state(false);
  shown = $state(false); // with their panel
  chosen = $state<string>();
  edit = $state.raw<ZoneEdit>();
  deleted = $state.raw<Zone>();
  problem = $state('');

  constructor(
    private readonly api: Api,
    private readonly explain: (error: unknown) => string,
  ) {}

  async load(): Promise<void> {
    await this.attempt(async () => {
      this.list = sorted((await this.api.get<{ zones: Zone[] | null }>('/zones')).zones ?? []);
      this.loaded = true;
    });
  }

  open(zone?: Zone): void {
    this.deleted = undefined;
    this.problem = '';
    this.chosen = zone?.id;
    this.edit = new ZoneEdit(zone);
  }

  leave(): void {
    this.edit = undefined;
  }

  async save(): Promise<boolean> {
    const edit = this.edit;
    if (!edit?.ready || edit.busy) return false;
    edit.busy = true;
    edit.problem = '';
    try {
      const base = edit.base;
      const body = edit.body;
      const saved = base ? await this.api.put<Zone>(`/zones/${base.id}`, body) : await this.api.post<Zone>('/zones', body);
      this.put(saved);
      this.chosen = saved.id;
      this.edit = undefined;
      return true;
    } catch (error) {
      if (error instanceof Problem && error.code === 'conflict' && error.current) {
        edit.theirs = error.current as Zone;
        this.put(edit.theirs);
      } else if (error instanceof Problem && error.code === 'not_found' && edit.base) {
        this.list = this.list.filter(({ id }) => id !== edit.base!.id);
        edit.theirs = 'gone';
      } else edit.problem = this.explain(error);
      return false;
    } finally {
      edit.busy = false;
    }
  }

  // remove is done at once, and can be taken back.
  async remove(zone: Zone): Promise<void> {
    await this.attempt(async () => {
      try {
        await this.api.delete(`/zones/${zone.id}?version=${zone.version}`);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        if (error.code === 'conflict' && error.current) this.put(error.current as Zone);
        if (error.code !== 'not_found') throw error;
      }
      this.list = this.list.filter(({ id }) => id !== zone.id);
      this.deleted = zone;
      this.edit = undefined;
      this.chosen = undefined;
    });
  }

  // restore makes a deleted zone again; it is a new one to the server.
  async restore(): Promise<void> {
    const zone = this.deleted;
    if (!zone) return;
    await this.attempt(async () => {
      const made = await this.api.post<Zone>('/zones', { name: zone.name, area: zone.area });
      this.put(made);
      this.chosen = made.id;
      this.deleted = undefined;
    });
  }

  private put(zone: Zone): void {
    this.list = sorted([...this.list.filter(({ id }) => id !== zone.id), zone]);
  }

  private async attempt(what: () => Promise<void>): Promise<void> {
    this.problem = '';
    try {
      await what();
    } catch (error) {
      this.problem = this.explain(error);
    }
  }
}

function sorted(zones: Zone[]): Zone[] {
  return zones.sort((a, b) => a.name.localeCompare(b.name));
}

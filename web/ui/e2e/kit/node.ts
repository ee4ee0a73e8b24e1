import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

export const binary = resolve(import.meta.dirname, '../../../../bin/dispatch');
const SECRET = process.env['DISPATCH_AUTH_SECRET'] ?? 'pages under test share this key, 5d2f0b9c';
const PATIENCE = 20_000; // ms for a start

export interface NodeOptions {
  // Flags of `dispatch serve` besides where it listens and keeps its data.
  flags: string[];
  // Where the server's clock begins, to all but stand still: what a page shows
  // is then the same on every run. Without it time is real.
  clock?: string;
}

// Where a server runs already (`cluster --run`), tests use that one.
export const given = process.env['COURIER'];

// A node is one running `dispatch serve` with data of its own.
export class Node {
  url = given ?? '';
  log = '';
  private process?: ChildProcess;
  private dir = '';

  constructor(private readonly options: NodeOptions) {}

  async start(): Promise<void> {
    if (given) return;
    this.dir ||= await mkdtemp(join(tmpdir(), 'courier-e2e-'));
    // After a stop it comes back to the port it had.
    const addr = this.url ? new URL(this.url).host : '127.0.0.1:0';
    const fixed = ['--addr', addr, '--admin-addr=', '--data-dir', this.dir, '--auth-secret', SECRET, '--log-level', 'warn'];
    // Couriers in tests may be anywhere a moment later.
    const child = spawn(binary, ['serve', ...fixed, '--max-speed', '1000', '--limit-work', '0', ...slow(this.options.clock), ...this.options.flags]);
    this.process = child;
    process.once('exit', this.kill);
    child.stderr.on('data', (said: Buffer) => (this.log += said));
    this.url = await new Promise((ready, failed) => {
      const timer = setTimeout(() => failed(new Error(`the server does not start:\n${this.log}`)), PATIENCE);
      child.once('error', failed);
      child.once('exit', (code) => failed(new Error(`the server ended with ${code}:\n${this.log}`)));
      child.stdout.on('data', (said: Buffer) => {
        const at = /serves on (http:\/\/\S+?);/.exec(String(said))?.[1];
        if (!at) return;
        clearTimeout(timer);
        ready(at);
      });
    });
  }

  // stop tells people to come back later, as a restart does; kill does not.
  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  async remove(): Promise<void> {
    await this.end('SIGKILL');
    if (this.dir) await rm(this.dir, { recursive: true, force: true });
  }

  private kill = (): void => void this.process?.kill('SIGKILL');

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.process;
    process.off('exit', this.kill);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((done) => child.once('exit', done));
    child.kill(signal);
    await ended;
  }
}

const run = promisify(execFile);

// token signs one for a member of staff.
export async function token(role: string, subject: string): Promise<string> {
  const { stdout } = await run(binary, ['token', '--role', role, '--subject', subject, '--auth-secret', SECRET]);
  return stdout.trim();
}

// The clock agrees with the real one at its origin and goes at its rate from
// there: an origin long ago brings it to any time now.
function slow(clock?: string): string[] {
  if (!clock) return [];
  const rate = 0.05;
  const [now, wanted] = [Date.now(), Date.parse(clock)];
  const origin = (wanted - now * rate) / (1 - rate);
  // A round of matching is due each second of real time all the same.
  return ['--clock-rate', String(rate), '--clock-origin', new Date(origin).toISOString(), '--interval', `${rate}s`];
}

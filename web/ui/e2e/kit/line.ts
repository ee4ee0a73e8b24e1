import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

type State = 'whole' | 'cut' | 'frozen';

// A line is how one person's page reaches the server. It can be cut, as in a
// tunnel, or freeze, as where a phone believes that it has a signal.
export class Line {
  url = '';
  private state: State = 'whole';
  private readonly ends = new Map<Socket, 'page' | 'server'>();
  private readonly server: Server;

  constructor(
    private readonly target: () => string,
    private readonly onTrouble: () => void = () => {},
  ) {
    this.server = createServer((near) => this.join(near));
  }

  async open(): Promise<this> {
    await new Promise<void>((ready) => this.server.listen(0, '127.0.0.1', ready));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    return this;
  }

  // cut ends every connection and lets nobody through until it is mended.
  cut(): void {
    this.onTrouble();
    this.state = 'cut';
    this.hangUp();
  }

  // freeze lets nothing pass, or no answers, and tells nobody.
  freeze(what: 'all' | 'answers' = 'all'): void {
    this.onTrouble();
    this.state = 'frozen';
    for (const [end, from] of this.ends) if (what === 'all' || from === 'server') end.pause();
  }

  mend(): void {
    this.state = 'whole';
    for (const end of this.ends.keys()) end.resume();
  }

  async close(): Promise<void> {
    this.hangUp();
    await new Promise((closed) => this.server.close(closed));
  }

  private join(near: Socket): void {
    if (this.state === 'cut') return void near.destroy();
    const { hostname, port } = new URL(this.target());
    const far = connect(Number(port), hostname);
    for (const [end, other] of [[near, far], [far, near]] as const) {
      this.ends.set(end, end === near ? 'page' : 'server');
      end.setNoDelay();
      end.on('data', (data) => other.write(data));
      end.on('end', () => other.end());
      end.on('error', () => other.destroy());
      end.on('close', () => {
        this.ends.delete(end);
        other.destroy();
      });
      if (this.state === 'frozen') end.pause();
    }
  }

  private hangUp(): void {
    for (const end of this.ends.keys()) end.resetAndDestroy();
  }
}

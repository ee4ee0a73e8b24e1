import { CELL, RATIO, columns, rows } from './glyphs';

// Floats a mark has: from x, y; to x, y; start; 1 / length; glyph;
// extent; offset x, y.
export const STRIDE = 10;

export interface Look {
  width: number; // CSS pixels
  height: number;
  centerX: number; // of the world
  centerY: number;
  size: number; // of the world, CSS pixels
}

export interface Batch {
  originX: number;
  originY: number;
  base: number; // ms: the moment its starts are counted from
  scale: number;
  fade: number; // 1: opaque
}

// The way from fix to fix is walked by the graphics card: a frame costs the
// page one call, however many move. Marks are points, one corner each instead
// of four, and no instances, which where graphics are drawn by software cost
// as much as a call each.
const VERTEX = `#version 300 es
layout(location = 0) in vec4 way;
layout(location = 1) in vec2 pace;
layout(location = 2) in vec4 look;
uniform vec4 view;
uniform vec4 screen;
uniform float ratio;
flat out vec2 cell;
flat out float extent;
flat out float level;
void main() {
  float part = clamp((screen.z - pace.x) * pace.y, 0.0, 1.0);
  vec2 at = mix(way.xy, way.zw, part) * view.xy + view.zw;
  gl_Position = vec4(at + look.zw * screen.w * screen.xy, 0.0, 1.0);
  gl_PointSize = look.y * screen.w * ratio;
  float column = mod(look.x, ${columns}.0);
  cell = vec2(column, (look.x - column) / ${columns}.0) + 0.5;
  extent = look.y / ${CELL}.0;
  level = log2(${RATIO}.0 / (screen.w * ratio)); // one for the mark: software works it out for each four pixels
}`;

const FRAGMENT = `#version 300 es
precision mediump float;
uniform sampler2D atlas;
uniform float fade;
flat in vec2 cell;
flat in float extent;
flat in float level;
out vec4 color;
void main() {
  vec2 place = (cell + (gl_PointCoord - 0.5) * extent) / vec2(${columns}.0, ${rows}.0);
  color = textureLod(atlas, place, level) * fade;
}`;

interface Drawable {
  buffer: WebGLBuffer;
  array: WebGLVertexArrayObject;
  room: number;
  count: number;
}

// Sprites draws many copies of the glyphs, a call for each batch.
export class Sprites {
  private readonly gl: WebGL2RenderingContext;
  private program!: WebGLProgram;
  private uniforms!: Record<'view' | 'screen' | 'ratio' | 'fade', WebGLUniformLocation | null>;
  private readonly batches = new Map<string, Drawable>();
  private texture: WebGLTexture | null = null;

  constructor(private readonly canvas: HTMLCanvasElement) {
    const gl = canvas.getContext('webgl2', { antialias: false, depth: false, stencil: false, premultipliedAlpha: true });
    if (!gl) throw new Error('no WebGL 2');
    this.gl = gl;
    this.prepare();
  }

  // prepare sets the context up, again after it was lost.
  prepare(): void {
    const { gl } = this;
    this.batches.clear();
    this.texture = null;
    this.program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]] as const) {
      const shader = gl.createShader(kind)!;
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(this.program, shader);
    }
    gl.linkProgram(this.program);
    if (!gl.getProgramParameter(this.program, gl.LINK_STATUS) && !gl.isContextLost()) {
      throw new Error(gl.getProgramInfoLog(this.program) ?? 'the shaders do not link');
    }
    const at = (name: string) => gl.getUniformLocation(this.program, name);
    this.uniforms = { view: at('view'), screen: at('screen'), ratio: at('ratio'), fade: at('fade') };
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  dress(atlas: HTMLCanvasElement): void {
    const { gl } = this;
    gl.deleteTexture(this.texture);
    this.texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, true);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, atlas);
    gl.generateMipmap(gl.TEXTURE_2D);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_NEAREST);
  }

  resize(width: number, height: number): void {
    const ratio = Math.min(2, devicePixelRatio || 1);
    const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
    if (this.canvas.width !== w) this.canvas.width = w;
    if (this.canvas.height !== h) this.canvas.height = h;
  }

  fill(name: string, data: Float32Array, count: number): void {
    const { gl } = this;
    let batch = this.batches.get(name);
    if (!batch) this.batches.set(name, (batch = this.open()));
    gl.bindBuffer(gl.ARRAY_BUFFER, batch.buffer);
    if (count > batch.room) {
      batch.room = Math.ceil(data.length / STRIDE);
      gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
    } else if (count > 0) {
      gl.bufferSubData(gl.ARRAY_BUFFER, 0, data, 0, count * STRIDE);
    }
    batch.count = count;
  }

  clear(): void {
    const { gl } = this;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.useProgram(this.program);
  }

  draw(name: string, look: Look, { originX, originY, base, scale, fade }: Batch, now: number): void {
    const batch = this.batches.get(name);
    if (!batch || batch.count === 0) return;
    const { gl } = this;
    const [x, y] = [(2 * look.size) / look.width, (-2 * look.size) / look.height];
    gl.uniform4f(this.uniforms.view, x, y, (originX - look.centerX) * x, (originY - look.centerY) * y);
    gl.uniform4f(this.uniforms.screen, 2 / look.width, -2 / look.height, (now - base) / 1000, scale);
    gl.uniform1f(this.uniforms.fade, fade);
    gl.bindVertexArray(batch.array);
    gl.uniform1f(this.uniforms.ratio, this.canvas.width / look.width);
    gl.drawArrays(gl.POINTS, 0, batch.count);
  }

  destroy(): void {
    this.gl.getExtension('WEBGL_lose_context')?.loseContext();
  }

  private open(): Drawable {
    const { gl } = this;
    const batch = { buffer: gl.createBuffer(), array: gl.createVertexArray(), room: 0, count: 0 };
    gl.bindVertexArray(batch.array);
    gl.bindBuffer(gl.ARRAY_BUFFER, batch.buffer);
    const parts: [number, number][] = [[4, 0], [2, 16], [4, 24]];
    parts.forEach(([size, offset], index) => {
      gl.enableVertexAttribArray(index);
      gl.vertexAttribPointer(index, size, gl.FLOAT, false, STRIDE * 4, offset);
    });
    gl.bindVertexArray(null);
    return batch;
  }
}

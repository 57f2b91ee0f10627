import { ControlOps } from "./ops/control.ts";

/** A graph of ONNX operators under construction. Each operator is a method. */
export class Graph extends ControlOps {
  protected override body(): this {
    return new Graph({ parent: this }) as this;
  }
}

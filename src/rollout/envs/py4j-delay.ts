import type { Gateway } from "./py4j.ts";
import type { JavaArgument, JavaReference } from "./py4j-values.ts";

/**
 * Lets the gateway send every reply at once. By itself it holds back a second small reply until the first was acknowledged, which takes up to 40 ms: calls
 * that were written together would be slower than calls one after another. Its sockets are reached through reflection.
 * @throws EnvError when the gateway is built in another way
 */
export async function sendWithoutDelay(gateway: Gateway): Promise<void> {
  const held: JavaReference[] = [];
  const get = async (target: JavaReference | string, method: string, ...args: JavaArgument[]) => {
    const value = (await gateway.call(target, method, args)) as JavaReference;
    held.push(value);
    return value;
  };
  const type = await get("z:java.lang.Class", "forName", "py4j.GatewayServer");
  const field = await get(type, "getDeclaredField", "connections");
  await gateway.call(field, "setAccessible", [true]);
  const hidden = await get(field, "get", { kind: "object", id: "GATEWAY_SERVER" });
  const connections = await gateway.construct("java.util.ArrayList", [hidden]);
  held.push(connections);
  const size = Number(await gateway.call(connections, "size"));
  for (let i = 0; i < size; i++) {
    const socket = await get(await get(connections, "get", i), "getSocket");
    await gateway.call(socket, "setTcpNoDelay", [true]);
  }
  await Promise.all(held.map((one) => gateway.free(one)));
}

import type { Actor } from "./actor.ts";
import { type Chatbot, type ChatbotStep, chooseOption, type Flow, HANDOVER, matchesKeyword } from "./flow.ts";
import type { FlowId } from "./id.ts";
import { type OutboundContent, recordOutbound } from "./outbound.ts";
import { changeConversation } from "./transition.ts";
import type { Turn } from "./turn.ts";

/** Maximum number of messages that a chatbot sends in one turn, however its flow was stored. */
const MAX_TURN_MESSAGES = 10;

/** The chatbot that takes a new conversation, if the channel has one; it precedes auto-replies (rule C1). */
export function openingChatbot(flows: readonly Flow[]): Chatbot | null {
  return flows.find((flow) => flow.kind === "CHATBOT") ?? null;
}

/** Queues the reply of the first keyword flow that matches. Returns whether one matched. */
export function replyToKeyword(turn: Turn, text: string): boolean {
  const flow = turn.flows.find((each) => each.kind === "AUTO_REPLY_KEYWORD" && matchesKeyword(each.keywords, text));
  if (flow?.kind !== "AUTO_REPLY_KEYWORD") return false;
  recordOutbound(turn, bot(flow.id), { text: flow.text });
  return true;
}

/** Queues the greeting. The "first message" is the one that starts a conversation (rule C1). */
export function replyToFirstMessage(turn: Turn): void {
  const flow = turn.flows.find((each) => each.kind === "AUTO_REPLY_FIRST_MESSAGE");
  if (flow?.kind === "AUTO_REPLY_FIRST_MESSAGE") recordOutbound(turn, bot(flow.id), { text: flow.text });
}

/** Starts a chatbot at its first step (rule U2). */
export function startChatbot(turn: Turn, chatbot: Chatbot): void {
  runSteps(turn, chatbot, chatbot.steps[0]);
}

/** Handles the contact's answer to the current menu. An answer that matches no option repeats the menu. */
export function answerMenu(turn: Turn, answer: string): void {
  const session = turn.state.botSession;
  if (session === null || session.dueAt !== null) return;
  const chatbot = findChatbot(turn, session.flowId);
  const step = chatbot?.steps.find((each) => each.id === session.stepId);
  if (chatbot === undefined || step === undefined) {
    handOver(turn, session.flowId);
    return;
  }

  const option = chooseOption(step, answer);
  if (option === null) recordOutbound(turn, bot(chatbot.id), contentOf(step));
  else continueAt(turn, chatbot, option.next);
}

/** Runs the delayed step of the bot session once it is due. */
export function runDueStep(turn: Turn): void {
  const session = turn.state.botSession;
  if (session === null || session.dueAt === null || turn.now < session.dueAt) return;
  const chatbot = findChatbot(turn, session.flowId);
  const step = chatbot?.steps.find((each) => each.id === session.stepId);
  if (chatbot === undefined || step === undefined) {
    handOver(turn, session.flowId);
    return;
  }
  runSteps(turn, chatbot, { ...step, delay: 0 });
}

/**
 * Runs steps until one waits for its delay or for an answer. A path that ends, loops or would send more messages than a
 * turn may have hands over to an agent.
 */
function runSteps(turn: Turn, chatbot: Chatbot, first: ChatbotStep | undefined): void {
  const visited = new Set<string>();
  let step = first;
  while (step !== undefined && !visited.has(step.id)) {
    const current: ChatbotStep = step;
    if (current.delay !== undefined && current.delay > 0) {
      waitAt(turn, chatbot, current, turn.now + current.delay);
      return;
    }
    if (visited.size === MAX_TURN_MESSAGES) break;
    recordOutbound(turn, bot(chatbot.id), contentOf(current));
    if (current.options !== undefined && current.options.length > 0) {
      waitAt(turn, chatbot, current, null);
      return;
    }
    visited.add(current.id);
    step = chatbot.steps.find((each) => each.id === current.next);
  }
  handOver(turn, chatbot.id);
}

function continueAt(turn: Turn, chatbot: Chatbot, next: string): void {
  if (next === HANDOVER) handOver(turn, chatbot.id);
  else
    runSteps(
      turn,
      chatbot,
      chatbot.steps.find((each) => each.id === next),
    );
}

function waitAt(turn: Turn, chatbot: Chatbot, step: ChatbotStep, dueAt: number | null): void {
  turn.emit(bot(chatbot.id), {
    type: "BotSessionChanged",
    session: { flowId: chatbot.id, stepId: step.id, dueAt },
  });
}

/** Rule C3, BOT → WAITING. */
function handOver(turn: Turn, flowId: FlowId): void {
  const { conversation } = turn.state;
  if (conversation?.status === "BOT") changeConversation(turn, bot(flowId), conversation, { status: "WAITING" });
}

function findChatbot(turn: Turn, flowId: FlowId): Chatbot | undefined {
  const flow = turn.flows.find((each) => each.id === flowId);
  return flow?.kind === "CHATBOT" ? flow : undefined;
}

/** The step's text followed by its choices, numbered from 1, and the same as a menu for channels with buttons. */
function contentOf({ text, options = [] }: ChatbotStep): OutboundContent {
  if (options.length === 0) return { text };
  return {
    text: [text, ...options.map(({ label }, index) => `${index + 1}. ${label}`)].join("\n"),
    menu: { text, options: options.map(({ id, label }) => ({ id, label })) },
  };
}

function bot(flowId: FlowId): Actor {
  return { type: "Bot", id: flowId };
}

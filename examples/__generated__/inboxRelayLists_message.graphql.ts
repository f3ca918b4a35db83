/**
 * @generated SignedSource<<bed0a11ed7c51a2f7c80151f0980ff92>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ReaderFragment } from 'relay-runtime';
export type DeliveryStatus = "CANCELED" | "FAILED" | "QUEUED" | "SENDING" | "SENT";
export type MessageDirection = "INBOUND" | "OUTBOUND";
export type MessageKind = "AUDIO" | "EVENT" | "FILE" | "IMAGE" | "LOCATION" | "STICKER" | "TEXT" | "UNSUPPORTED" | "VIDEO";
import type { FragmentRefs } from "relay-runtime";
export type inboxRelayLists_message$data = {
  readonly clientMessageId: string | null;
  readonly deliveryStatus: DeliveryStatus | null;
  readonly direction: MessageDirection;
  readonly id: string;
  readonly kind: MessageKind;
  readonly seq: number;
  readonly text: string | null;
  readonly unsentAt: string | null;
  readonly " $fragmentType": "inboxRelayLists_message";
};
export type inboxRelayLists_message$key = {
  readonly " $data"?: inboxRelayLists_message$data;
  readonly " $fragmentSpreads": FragmentRefs<"inboxRelayLists_message">;
};

const node: ReaderFragment = {
  "argumentDefinitions": [],
  "kind": "Fragment",
  "metadata": null,
  "name": "inboxRelayLists_message",
  "selections": [
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "id",
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "seq",
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "direction",
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "kind",
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "text",
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "unsentAt",
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "deliveryStatus",
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "clientMessageId",
      "storageKey": null
    }
  ],
  "type": "Message",
  "abstractKey": null
};

(node as any).hash = "53d95208b1bb1002682fca89d470b841";

export default node;

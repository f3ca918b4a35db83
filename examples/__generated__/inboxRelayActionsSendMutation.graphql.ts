/**
 * @generated SignedSource<<f22f138d1933943e1ef7674d13e38c39>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ConcreteRequest } from 'relay-runtime';
export type MessageDirection = "INBOUND" | "OUTBOUND";
export type MessageKind = "AUDIO" | "EVENT" | "FILE" | "IMAGE" | "LOCATION" | "STICKER" | "TEXT" | "UNSUPPORTED" | "VIDEO";
export type SendMessageInput = {
  conversationId: string;
  idempotencyKey?: string | null;
  text: string;
};
export type inboxRelayActionsSendMutation$variables = {
  input: SendMessageInput;
};
export type inboxRelayActionsSendMutation$data = {
  readonly sendMessage: {
    readonly __typename: "SendMessageSuccess";
    readonly message: {
      readonly clientMessageId: string | null;
      readonly direction: MessageDirection;
      readonly id: string;
      readonly kind: MessageKind;
      readonly seq: number;
      readonly text: string | null;
      readonly unsentAt: string | null;
    };
  } | {
    // This will never be '%other', but we need some
    // value in case none of the concrete values match.
    readonly __typename: "%other";
  };
};
export type inboxRelayActionsSendMutation = {
  response: inboxRelayActionsSendMutation$data;
  variables: inboxRelayActionsSendMutation$variables;
};

const node: ConcreteRequest = (function(){
var v0 = [
  {
    "defaultValue": null,
    "kind": "LocalArgument",
    "name": "input"
  }
],
v1 = [
  {
    "alias": null,
    "args": [
      {
        "kind": "Variable",
        "name": "input",
        "variableName": "input"
      }
    ],
    "concreteType": null,
    "kind": "LinkedField",
    "name": "sendMessage",
    "plural": false,
    "selections": [
      {
        "alias": null,
        "args": null,
        "kind": "ScalarField",
        "name": "__typename",
        "storageKey": null
      },
      {
        "kind": "InlineFragment",
        "selections": [
          {
            "alias": null,
            "args": null,
            "concreteType": "Message",
            "kind": "LinkedField",
            "name": "message",
            "plural": false,
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
                "name": "clientMessageId",
                "storageKey": null
              }
            ],
            "storageKey": null
          }
        ],
        "type": "SendMessageSuccess",
        "abstractKey": null
      }
    ],
    "storageKey": null
  }
];
return {
  "fragment": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Fragment",
    "metadata": null,
    "name": "inboxRelayActionsSendMutation",
    "selections": (v1/*:: as any*/),
    "type": "Mutation",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Operation",
    "name": "inboxRelayActionsSendMutation",
    "selections": (v1/*:: as any*/)
  },
  "params": {
    "cacheID": "42b84dde6a1c9d59df888c402f12da22",
    "id": null,
    "metadata": {},
    "name": "inboxRelayActionsSendMutation",
    "operationKind": "mutation",
    "text": "mutation inboxRelayActionsSendMutation(\n  $input: SendMessageInput!\n) {\n  sendMessage(input: $input) {\n    __typename\n    ... on SendMessageSuccess {\n      message {\n        id\n        seq\n        direction\n        kind\n        text\n        unsentAt\n        clientMessageId\n      }\n    }\n  }\n}\n"
  }
};
})();

(node as any).hash = "26a74ae87d1fe3e17a1738170fc4feb5";

export default node;

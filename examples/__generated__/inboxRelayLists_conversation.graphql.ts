/**
 * @generated SignedSource<<ba760d6f7234b05803c031fcf7c047ce>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ReaderFragment } from 'relay-runtime';
export type ConversationAction = "ACCEPT" | "DECLINE" | "END" | "NOTE" | "OFFER" | "REPLY" | "TAKE" | "TRANSFER";
export type ConversationEndReason = "BLOCKED" | "CHANNEL_ARCHIVED" | "INACTIVITY" | "RESOLVED";
export type ConversationStatus = "ACTIVE" | "ASSIGNING" | "BLOCKED" | "BOT" | "ENDED" | "WAITING";
import type { FragmentRefs } from "relay-runtime";
export type inboxRelayLists_conversation$data = {
  readonly allowedActions: ReadonlyArray<ConversationAction>;
  readonly assignee: {
    readonly id: string;
    readonly name: string | null;
  } | null;
  readonly blocked: boolean;
  readonly contact: {
    readonly id: string;
    readonly name: string | null;
  };
  readonly endReason: ConversationEndReason | null;
  readonly id: string;
  readonly messages: {
    readonly edges: ReadonlyArray<{
      readonly node: {
        readonly id: string;
        readonly text: string | null;
      };
    }>;
  };
  readonly offerExpiresAt: string | null;
  readonly offeredTo: {
    readonly id: string;
    readonly name: string | null;
  } | null;
  readonly sortKey: string;
  readonly status: ConversationStatus;
  readonly " $fragmentType": "inboxRelayLists_conversation";
};
export type inboxRelayLists_conversation$key = {
  readonly " $data"?: inboxRelayLists_conversation$data;
  readonly " $fragmentSpreads": FragmentRefs<"inboxRelayLists_conversation">;
};

const node: ReaderFragment = (function(){
var v0 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "id",
  "storageKey": null
},
v1 = [
  (v0/*:: as any*/),
  {
    "alias": null,
    "args": null,
    "kind": "ScalarField",
    "name": "name",
    "storageKey": null
  }
];
return {
  "argumentDefinitions": [],
  "kind": "Fragment",
  "metadata": null,
  "name": "inboxRelayLists_conversation",
  "selections": [
    (v0/*:: as any*/),
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "sortKey",
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "status",
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "blocked",
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "allowedActions",
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "offerExpiresAt",
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "endReason",
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "concreteType": "Agent",
      "kind": "LinkedField",
      "name": "assignee",
      "plural": false,
      "selections": (v1/*:: as any*/),
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "concreteType": "Agent",
      "kind": "LinkedField",
      "name": "offeredTo",
      "plural": false,
      "selections": (v1/*:: as any*/),
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "concreteType": "Contact",
      "kind": "LinkedField",
      "name": "contact",
      "plural": false,
      "selections": (v1/*:: as any*/),
      "storageKey": null
    },
    {
      "alias": null,
      "args": [
        {
          "kind": "Literal",
          "name": "last",
          "value": 1
        }
      ],
      "concreteType": "ConversationMessagesConnection",
      "kind": "LinkedField",
      "name": "messages",
      "plural": false,
      "selections": [
        {
          "alias": null,
          "args": null,
          "concreteType": "ConversationMessagesConnectionEdge",
          "kind": "LinkedField",
          "name": "edges",
          "plural": true,
          "selections": [
            {
              "alias": null,
              "args": null,
              "concreteType": "Message",
              "kind": "LinkedField",
              "name": "node",
              "plural": false,
              "selections": [
                (v0/*:: as any*/),
                {
                  "alias": null,
                  "args": null,
                  "kind": "ScalarField",
                  "name": "text",
                  "storageKey": null
                }
              ],
              "storageKey": null
            }
          ],
          "storageKey": null
        }
      ],
      "storageKey": "messages(last:1)"
    }
  ],
  "type": "Conversation",
  "abstractKey": null
};
})();

(node as any).hash = "f1e5d873979b083e67ee3cde12772556";

export default node;

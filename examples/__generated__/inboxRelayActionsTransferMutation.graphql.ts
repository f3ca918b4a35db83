/**
 * @generated SignedSource<<3e7c340a119f0463951010c8bca571f5>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ConcreteRequest } from 'relay-runtime';
export type TransferConversationInput = {
  agentId?: string | null;
  conversationId: string;
};
export type inboxRelayActionsTransferMutation$variables = {
  input: TransferConversationInput;
};
export type inboxRelayActionsTransferMutation$data = {
  readonly transferConversation: {
    readonly __typename: string;
  };
};
export type inboxRelayActionsTransferMutation = {
  response: inboxRelayActionsTransferMutation$data;
  variables: inboxRelayActionsTransferMutation$variables;
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
    "name": "transferConversation",
    "plural": false,
    "selections": [
      {
        "alias": null,
        "args": null,
        "kind": "ScalarField",
        "name": "__typename",
        "storageKey": null
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
    "name": "inboxRelayActionsTransferMutation",
    "selections": (v1/*:: as any*/),
    "type": "Mutation",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Operation",
    "name": "inboxRelayActionsTransferMutation",
    "selections": (v1/*:: as any*/)
  },
  "params": {
    "cacheID": "bc85dbc59af9c63e52e544aba7dd7245",
    "id": null,
    "metadata": {},
    "name": "inboxRelayActionsTransferMutation",
    "operationKind": "mutation",
    "text": "mutation inboxRelayActionsTransferMutation(\n  $input: TransferConversationInput!\n) {\n  transferConversation(input: $input) {\n    __typename\n  }\n}\n"
  }
};
})();

(node as any).hash = "b0c358bf5926c9fc79ffa78e4f0920b4";

export default node;
